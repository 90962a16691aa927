/*
 * Equihash (Zcash 200,9; Bitcoin Gold 144,5; Beam 150,5; Zero 192,7).
 *
 * The algorithm is BLAKE2b with a personalization of eight letters and the two
 * parameters. Full nodes of these coins verify with the same constants and will
 * match too.
 * Found only where a program has them in a static table or folded into the
 * state. As an immediate (mov rax, "ZcashPoW") the name is eleven bytes in a row,
 * too few to be looked for in all code; aarch64 compilers split it altogether.
 */

/*
 * Lookalikes: BLAKE2b's plain initial value (libsodium, Python, rhash) differs
 * in the last two words; the bare word "ZcashPoW" in text is no match, since the
 * two parameters must follow as little-endian numbers.
 */
rule Equihash_Personalization
{
	meta:
		family = "Equihash"
		algorithm = "Equihash"
		where = "image"
		severity = "HIGH"
		reference = "Zcash protocol specification 7.7.1; RFC 7693 parameter block"
		description = "BLAKE2b personalization of Equihash (coin name and the parameters n, k), as bytes or already folded into the initial state."
	strings:
		$zcash = { 5a636173 68506f57 c8000000 09000000 }
		$gold = { 42676f6c 64506f57 90000000 05000000 }
		$beam = { 4265616d 2d506f57 96000000 05000000 }
		$zero = { 5a45524f 5f506f57 c0000000 07000000 }
		$bitcoinz = { 42697463 6f696e5a 90000000 05000000 }
		$zcash_state = {
			1f6c3e2b 8c68059b 31de2088 c389ec48 b1217e13 10cde05b
		}
		$gold_state = {
			1f6c3e2b 8c68059b 29da2e97 cf89ec48 e9217e13 1ccde05b
		}
		$beam_state = {
			1f6c3e2b 8c68059b 29d82096 8689ec48 ef217e13 1ccde05b
		}
		$zero_state = {
			1f6c3e2b 8c68059b 31f813b4 f489ec48 b9217e13 1ecde05b
		}
		$bitcoinz_state = {
			1f6c3e2b 8c68059b 29d43598 c4b0ed45 e9217e13 1ccde05b
		}
	condition:
		any of them
}
