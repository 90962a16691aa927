/*
 * SHA-256 applied twice to an 80-byte block header (Bitcoin and its forks).
 */

/*
 * Lookalikes: SHA-256 itself (the K table is in every TLS library) lacks the
 * padding; bitcoind's padding of 64-byte inputs ends in 0x200, not 0x280; the
 * padding without K is in programs with other Merkle-Damgard hashes.
 * Known limits: the same padding is part of scrypt miners, which then match
 * both; a miner that fills the padding by instructions has no such table.
 */
rule SHA256d_Header80
{
	meta:
		family = "SHA256d"
		algorithm = "SHA-256d"
		where = "image"
		severity = "MEDIUM"
		reference = "FIPS 180-4, padding of a 640-bit message; pooler/cpuminer sha2.c, scrypt.c"
		description = "SHA-256 together with a ready-made padding block for an 80-byte message, the size of a Bitcoin block header."
	strings:
		$pad = {
			00000080 00000000 00000000 00000000 00000000 00000000 00000000 00000000
			00000000 00000000 00000000 80020000
		}
		$k = {
			982f8a42 91443771 cffbc0b5 a5dbb5e9 5bc25639 f111f159 a4823f92 d55e1cab
		}
	condition:
		all of them
}
