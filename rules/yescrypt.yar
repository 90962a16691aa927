/*
 * yescrypt and yespower in their coin settings.
 */

/*
 * Lookalikes: yescrypt's own label "Client Key" is in libcrypt, hence in sshd,
 * nginx, postgres and perl. The keys "Now I am become Death ...", "Let the quest
 * begin" and "et in arcadia ego" are quotations anybody may carry, and the short
 * ones ("WaviBanana", "BitZeny") name a coin in any wallet: left out.
 */
rule Yespower_Coin_Keys
{
	meta:
		family = "yespower"
		algorithm = "yescrypt, yespower"
		where = "image"
		severity = "MEDIUM"
		reference = "openwall yespower 1.0; personalization strings of cpuminer-opt algo/yespower, algo/yescrypt"
		description = "The personalization string of a coin that is mined with yescrypt or yespower."
	strings:
		$cpupower = {
			43505570 6f776572 3a205468 65206e75 6d626572 206f6620 43505520 776f726b
			696e6720 6f722061 7661696c 61626c65 20666f72 2070726f 6f662d6f 662d776f
			726b206d 696e696e 67
		}
		$globalboost = {
			5361746f 73686920 4e616b61 6d6f746f 2033312f 4f63742f 32303038 2050726f
			6f662d6f 662d776f 726b2069 73206573 73656e74 69616c6c 79206f6e 652d4350
			552d6f6e 652d766f 7465
		}
	condition:
		any of them
}
