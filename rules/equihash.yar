/*
 * Equihash (Zcash 200,9; its relatives 192,7 and 144,5; Bitcoin Gold 144,5; Beam
 * 150,5; Zero 192,7; Flux 125,4; TENT 144,5).
 *
 * The algorithm is BLAKE2b with a personalization of eight letters and the two
 * parameters. Full nodes of these coins verify with the same constants and will
 * match too.
 * aarch64: found where a program has them in a static table, folded into the state,
 * or loads the folded word by instructions that stand together. gcc 12 places other
 * instructions between them from -O2 on: two and two are eight bytes, which would
 * halve the speed of the sweep.
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
		$zcash_192 = { 5a636173 68506f57 c0000000 07000000 }
		$zcash_144 = { 5a636173 68506f57 90000000 05000000 }
		$flux = { 5a656c50 726f6f66 7d000000 04000000 }
		$flux_144 = { 5a656c50 726f6f66 90000000 05000000 }
		$tent = { 736e6765 6d506f57 90000000 05000000 }
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
		$zcash_192 = { 31de2088 c389ec48 b9217e13 1ecde05b }
		$zcash_144 = { 31de2088 c389ec48 e9217e13 1ccde05b }
		$flux = { 31d82dab d9b6ec79 04217e13 1dcde05b }
		$flux_144 = { 31d82dab d9b6ec79 e9217e13 1ccde05b }
		$tent = { 18d3269e c689ec48 e9217e13 1ccde05b }
	condition:
		any of them
}

/*
 * The same words as working memory: a state that was begun with the header and is
 * copied for every index. Libraries compress when their buffer is full (libsodium
 * and the reference code: 256 bytes), which a header and an index never make it,
 * so that the initial value stands there while the solver works. It needs no
 * table and no constant in code. MEDIUM, since a node that verifies has it, too.
 */
rule Equihash_Live_State
{
	meta:
		family = "Equihash"
		algorithm = "Equihash"
		where = "any"
		severity = "MEDIUM"
		reference = "RFC 7693 2.5; libsodium crypto_generichash/blake2b/ref/blake2b-ref.c, blake2b_update"
		description = "A BLAKE2b state begun with an Equihash coin's name and parameters in working memory: Equihash is being solved or verified."
	strings:
		$zcash = { 1f6c3e2b 8c68059b 31de2088 c389ec48 b1217e13 10cde05b }
		$zcash_192 = { 1f6c3e2b 8c68059b 31de2088 c389ec48 b9217e13 1ecde05b }
		$zcash_144 = { 1f6c3e2b 8c68059b 31de2088 c389ec48 e9217e13 1ccde05b }
		$gold = { 1f6c3e2b 8c68059b 29da2e97 cf89ec48 e9217e13 1ccde05b }
		$beam = { 1f6c3e2b 8c68059b 29d82096 8689ec48 ef217e13 1ccde05b }
		$zero = { 1f6c3e2b 8c68059b 31f813b4 f489ec48 b9217e13 1ecde05b }
		$bitcoinz = { 1f6c3e2b 8c68059b 29d43598 c4b0ed45 e9217e13 1ccde05b }
		$flux = { 1f6c3e2b 8c68059b 31d82dab d9b6ec79 04217e13 1dcde05b }
		$flux_144 = { 1f6c3e2b 8c68059b 31d82dab d9b6ec79 e9217e13 1ccde05b }
		$tent = { 1f6c3e2b 8c68059b 18d3269e c689ec48 e9217e13 1ccde05b }
	condition:
		any of them
}

/*
 * A session with a pool of Zcash or its relatives. Jobs begin with the version of
 * the block's header, as eight digits: 4, 3, or Bitcoin Gold's 0x20000000. Lookalikes:
 * Bitcoin's jobs, Ethereum's and KawPow's go on with a hash; VerusHash's, the same
 * protocol, with the version 04000100; text about the protocol shows one side, or
 * sets other blanks. Pools that serve miners hold both sides, too, and are idle
 * beside a solver.
 */
rule Equihash_Live_Session
{
	meta:
		family = "Equihash"
		algorithm = "Equihash"
		where = "any"
		severity = "MEDIUM"
		reference = "ZIP 301 (zcash/zips), mining.notify; Zcash protocol specification 7.6"
		description = "A job of an Equihash pool and the miner's requests in memory: the process works on Equihash for a pool."
	strings:
		$tell_notify = /"method":"mining\.notify","params":\["[^"]{1,64}","(0[34]000000|00000020)","/
		$tell_notify_wide = /"method": "mining\.notify", "params": \["[^"]{1,64}", "(0[34]000000|00000020)", "/
		$ask_subscribe = "\"method\":\"mining.subscribe\",\"params\":["
		$ask_subscribe_wide = "\"method\": \"mining.subscribe\", \"params\": ["
		$ask_authorize = "\"method\":\"mining.authorize\",\"params\":[\""
		$ask_authorize_wide = "\"method\": \"mining.authorize\", \"params\": [\""
		$ask_submit = "\"method\":\"mining.submit\",\"params\":[\""
		$ask_submit_wide = "\"method\": \"mining.submit\", \"params\": [\""
	condition:
		any of ($tell_*) and any of ($ask_*)
}

/*
 * Likewise as an immediate: mov r64, imm64 and the prefix of what follows
 * (eleven bytes), as gcc and clang write it at -O1, -O2 and -Os; or the name alone
 * on its way into the parameters of a library's BLAKE2b. Not in
 * packed programs: their code is anonymous memory, which strings as short as these
 * would make a third slower to look through. Lookalikes: as above.
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
		$name_rax_48 = { 48b85a63 61736850 6f5748 }
		$name_rax_49 = { 48b85a63 61736850 6f5749 }
		$name_rax_55 = { 48b85a63 61736850 6f5755 }
		$name_rcx = { 48b95a63 61736850 6f5748 }
		$name_rdx = { 48ba5a63 61736850 6f5748 }
		$name_rsi = { 48be5a63 61736850 6f5748 }
	condition:
		any of them
}

/*
 * Likewise on aarch64: movz and two movk (twelve bytes, by register). The fourth
 * comes next or later. Lookalikes: as above; 48 bits of the constant in one
 * register are no other program's.
 */
rule Equihash_Folded_Moves
{
	meta:
		family = "Equihash"
		algorithm = "Equihash 200,9"
		where = "code"
		severity = "HIGH"
		reference = "Zcash protocol specification 7.7.1; RFC 7693 2.5 and 2.8; Arm ARM, MOVZ and MOVK"
		description = "aarch64 machine code that loads BLAKE2b's initial state with Zcash's name and parameters folded in."
	strings:
		$x0 = { 20c69bd2 0004b1f2 6038d1f2 }
		$x1 = { 21c69bd2 0104b1f2 6138d1f2 }
		$x2 = { 22c69bd2 0204b1f2 6238d1f2 }
		$x3 = { 23c69bd2 0304b1f2 6338d1f2 }
		$x4 = { 24c69bd2 0404b1f2 6438d1f2 }
		$x5 = { 25c69bd2 0504b1f2 6538d1f2 }
		$x6 = { 26c69bd2 0604b1f2 6638d1f2 }
		$x7 = { 27c69bd2 0704b1f2 6738d1f2 }
		$x8 = { 28c69bd2 0804b1f2 6838d1f2 }
		$x9 = { 29c69bd2 0904b1f2 6938d1f2 }
		$x10 = { 2ac69bd2 0a04b1f2 6a38d1f2 }
		$x11 = { 2bc69bd2 0b04b1f2 6b38d1f2 }
		$x12 = { 2cc69bd2 0c04b1f2 6c38d1f2 }
		$x13 = { 2dc69bd2 0d04b1f2 6d38d1f2 }
		$x14 = { 2ec69bd2 0e04b1f2 6e38d1f2 }
		$x15 = { 2fc69bd2 0f04b1f2 6f38d1f2 }
		$x16 = { 30c69bd2 1004b1f2 7038d1f2 }
		$x17 = { 31c69bd2 1104b1f2 7138d1f2 }
		$x18 = { 32c69bd2 1204b1f2 7238d1f2 }
		$x19 = { 33c69bd2 1304b1f2 7338d1f2 }
		$x20 = { 34c69bd2 1404b1f2 7438d1f2 }
		$x21 = { 35c69bd2 1504b1f2 7538d1f2 }
		$x22 = { 36c69bd2 1604b1f2 7638d1f2 }
		$x23 = { 37c69bd2 1704b1f2 7738d1f2 }
		$x24 = { 38c69bd2 1804b1f2 7838d1f2 }
		$x25 = { 39c69bd2 1904b1f2 7938d1f2 }
		$x26 = { 3ac69bd2 1a04b1f2 7a38d1f2 }
		$x27 = { 3bc69bd2 1b04b1f2 7b38d1f2 }
		$x28 = { 3cc69bd2 1c04b1f2 7c38d1f2 }
	condition:
		any of them
}
