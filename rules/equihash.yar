/*
 * Equihash (Zcash 200,9; Bitcoin Gold 144,5; Beam 150,5; Zero 192,7).
 *
 * The algorithm is BLAKE2b with a personalization of eight letters and the two
 * parameters. Full nodes of these coins verify with the same constants and will
 * match too.
 * aarch64: found only where a program has them in a static table or folded into
 * the state; gcc 12 and clang 14 load the name by movz/movk, where no run of
 * bytes is left to match.
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

/*
 * The sixth and seventh words of BLAKE2b's initial state with the coin's name
 * and parameters folded in: compilers do that where both are known to them.
 * Lookalikes: BLAKE2b's plain words, and any other personalization, differ.
 */
rule Equihash_Folded_Vector
{
	meta:
		family = "Equihash"
		algorithm = "Equihash"
		where = "image"
		severity = "HIGH"
		reference = "Zcash protocol specification 7.7.1; RFC 7693 2.5 and 2.8"
		description = "BLAKE2b's initial state with an Equihash coin's name and parameters folded in, as a vector."
	strings:
		$zcash = { 31de2088 c389ec48 b1217e13 10cde05b }
		$gold = { 29da2e97 cf89ec48 e9217e13 1ccde05b }
		$beam = { 29d82096 8689ec48 ef217e13 1ccde05b }
		$zero = { 31f813b4 f489ec48 b9217e13 1ecde05b }
		$bitcoinz = { 29d43598 c4b0ed45 e9217e13 1ccde05b }
	condition:
		any of them
}

/*
 * Likewise as an immediate: mov r64, imm64 and the prefix of what follows
 * (eleven bytes), as gcc and clang write it at -O1, -O2 and -Os. On aarch64 the
 * same constant is four instructions, which compilers spread among others.
 * Lookalikes: as above.
 */
rule Equihash_Folded_Immediate
{
	meta:
		family = "Equihash"
		algorithm = "Equihash 200,9"
		where = "code"
		severity = "HIGH"
		reference = "Zcash protocol specification 7.7.1; RFC 7693 2.5 and 2.8"
		description = "Machine code that loads BLAKE2b's initial state with Zcash's name and parameters folded in, or xors the name into it."
	strings:
		$rax_48 = { 48b831de 2088c389 ec4848 }
		$rax_49 = { 48b831de 2088c389 ec4849 }
		$rax_4c = { 48b831de 2088c389 ec484c }
		$rcx_48 = { 48b931de 2088c389 ec4848 }
		$rcx_49 = { 48b931de 2088c389 ec4849 }
		$rdx_48 = { 48ba31de 2088c389 ec4848 }
		$rdx_49 = { 48ba31de 2088c389 ec4849 }
		$name_rcx = { 48b95a63 61736850 6f5748 }
		$name_rdx = { 48ba5a63 61736850 6f5748 }
		$name_rsi = { 48be5a63 61736850 6f5748 }
	condition:
		any of them
}
