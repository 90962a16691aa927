/*
 * scrypt with N = 1024, r = 1, p = 1 over an 80-byte block header (Litecoin,
 * Dogecoin). Miners prepare the SHA-256 paddings for exactly these lengths;
 * scrypt as a password hash takes any length and has none of them.
 *
 * The strings hold many zeros because paddings do. Each begins or ends with the
 * set bits, which is where a prefilter should put its windows.
 */

/*
 * Lookalikes: the padding of a 64-byte block (length word 0x200, bitcoind,
 * litecoind) and of one digest (0x100) differ in the length word; scrypt in
 * OpenSSL and Node.js pads at run time.
 */
rule Scrypt_Header_FinalBlock
{
	meta:
		family = "scrypt"
		algorithm = "scrypt (1024, 1, 1)"
		where = "image"
		severity = "HIGH"
		reference = "RFC 7914 with an 80-byte password; pooler/cpuminer scrypt.c"
		description = "Precomputed last PBKDF2 block of scrypt over an 80-byte block header, as scrypt miners carry it."
	strings:
		$final = {
			01000000 00000080 00000000 00000000 00000000 00000000 00000000 00000000
			00000000 00000000 00000000 00000000 00000000 00000000 00000000 20060000
		}
	condition:
		$final
}

/*
 * Lookalikes: a Java VM's compiled methods begin with their offsets, five of them
 * often equal, so that its code cache comes to hold all three vectors, each in
 * another method. A miner has them in one table: all within 2 KiB of each other.
 * Wider tables (eight lanes) contain these four-lane strings.
 */
rule Scrypt_Header_Vectors
{
	meta:
		family = "scrypt"
		algorithm = "scrypt (1024, 1, 1)"
		where = "image"
		severity = "HIGH"
		reference = "RFC 7914 with an 80-byte password; pooler/cpuminer scrypt.c"
		description = "The three message lengths of scrypt over an 80-byte block header, each repeated for four parallel lanes."
	strings:
		$len_620 = { 20060000 20060000 20060000 20060000 }
		$len_280 = { 80020000 80020000 80020000 80020000 }
		$len_4a0 = { a0040000 a0040000 a0040000 a0040000 }
	condition:
		for any i in (1 .. #len_620) : (
			$len_280 in (@len_620[i] - 2048 .. @len_620[i] + 2048) and
			$len_4a0 in (@len_620[i] - 2048 .. @len_620[i] + 2048)
		)
}
