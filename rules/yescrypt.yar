/*
 * yescrypt and yespower in their coin settings.
 */

/*
 * yespower 1.0 needs no label, so that the coin's string stands alone. Lookalikes:
 * wallets and nodes of that coin, which verify with it: hence MEDIUM, and LOW
 * while idle. Text about such a coin in an editor or a browser is heap memory,
 * which this class leaves out; MicroBitcoin's, a quotation, counts as a whole
 * string of C only. Strings of under 23 bytes are left out, but for the first
 * one's vectors, as gcc -O3 copies it.
 */
rule Yespower_Personal
{
	meta:
		family = "yespower"
		algorithm = "yespower 1.0"
		where = "image"
		severity = "MEDIUM"
		reference = "openwall yespower 1.0, parameter pers; cpuminer-opt algo/yespower; MicroBitcoin src/primitives/block.cpp"
		description = "The personalization sentence of a coin that mines with yespower."
	strings:
		$cpupower = "CPUpower: The number of CPU working or available for proof-of-work mining"
		$litbpower = "LITBpower: The number of LITB working or available for proof-of-work mining"
		$sugar = "Satoshi Nakamoto 31/Oct/2008 Proof-of-work is essentially one-CPU-one-vote"
		$dpow = "One POW? Why not two? 17/04/2024"
		$iots = "IOTS is committed to the development of IOT"
		$power2b = "\x00Now I am become Death, the destroyer of worlds\x00"
		$vector_1 = "CPUpower: The nu"
		$vector_2 = "mber of CPU work"
		$vector_3 = "ing or available"
		$vector_4 = " for proof-of-wo"
	condition:
		$cpupower or $litbpower or $sugar or $dpow or $iots or $power2b or
		all of ($vector_*)
}
