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

/*
 * yespower 1.0 needs no label, so that the coin's string stands alone. Lookalikes:
 * wallets and nodes of that coin, which verify with it: hence MEDIUM, and LOW
 * while idle. Text about such a coin in an editor or a browser is heap memory,
 * which this class leaves out. Strings of under 23 bytes are left out, but for
 * the first one's vectors, as gcc -O3 copies it.
 */
rule Yespower_Personal
{
	meta:
		family = "yespower"
		algorithm = "yespower 1.0"
		where = "image"
		severity = "MEDIUM"
		reference = "openwall yespower 1.0, parameter pers; cpuminer-multi and cpuminer-opt algo/yespower"
		description = "The personalization sentence of a coin that mines with yespower."
	strings:
		$cpupower = "CPUpower: The number of CPU working or available for proof-of-work mining"
		$litbpower = "LITBpower: The number of LITB working or available for proof-of-work mining"
		$sugar = "Satoshi Nakamoto 31/Oct/2008 Proof-of-work is essentially one-CPU-one-vote"
		$dpow = "One POW? Why not two? 17/04/2024"
		$iots = "IOTS is committed to the development of IOT"
		$vector_1 = "CPUpower: The nu"
		$vector_2 = "mber of CPU work"
		$vector_3 = "ing or available"
		$vector_4 = " for proof-of-wo"
	condition:
		$cpupower or $litbpower or $sugar or $dpow or $iots or
		all of ($vector_*)
}
