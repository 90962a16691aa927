/*
 * RandomX (Monero "rx/0" and its forks Wownero, ArQmA, Graft, Sumokoin, ...).
 *
 * Forks change the salt, the sizes and the instruction frequencies; the AES
 * keys and the superscalar constants stay. The salts ("RandomX\x03") are
 * therefore not used: they are short, and the first thing a fork edits.
 *
 * aarch64: the AES keys and the superscalar table are emitted as on x86-64
 * (literal pools); only the immediates rule is x86-64.
 */

/*
 * Lookalikes: AES S-boxes, T-tables and round constants (OpenSSL, 7z, qemu)
 * share no key with these; a signature base that holds a few keys stays under
 * four, and lies in anonymous writable memory, which this class leaves out.
 * Two forms of each key: as a vector register holds it (set_epi32 reverses the
 * words), and as an array of 32-bit words in source order, the way ports to
 * other languages write them. A build without optimization stores the keys word
 * by word and is missed here; the superscalar table stands in it all the same.
 */
rule RandomX_AES_Keys
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "image"
		severity = "HIGH"
		reference = "tevador/RandomX doc/specs.md 3.2-3.4, src/aes_hash.cpp"
		description = "At least four of the eighteen fixed AES keys and states with which RandomX fills and hashes its scratchpad; no other cipher uses them."
	strings:
		$vec_gen1_0 = { 53a5ac6d 09667162 2b55b5db 1749f4b4 }
		$vec_gen1_1 = { 07af7c6d 0d716a84 78d32517 4edca10d }
		$vec_gen1_2 = { f162123f c67e949f 4f79c0f4 45e3203e }
		$vec_gen1_3 = { 3581ef6a 7c31bab1 884c3116 54911649 }
		$vec_gen4_0 = { ddaa2164 db3d83d1 2b6d542f 3fd2e599 }
		$vec_gen4_1 = { 50340eb2 553f91b6 539df706 e5cddfa5 }
		$vec_gen4_2 = { 04d93e5c af7b5e51 9f67a40a bf021c17 }
		$vec_gen4_3 = { 63376285 085d8fe7 853767cd 91d2ded8 }
		$vec_gen4_4 = { 736f82b5 a6a7d6e3 6d8b513d b4ff9e22 }
		$vec_gen4_5 = { f36b56c7 d9b3109c 4e4d02e9 d2b772b2 }
		$vec_gen4_6 = { e7c973f2 8ba365f7 0a66a92b a7ef3bf6 }
		$vec_gen4_7 = { 09d67c7a de395891 fdd1060c 2d76b0c0 }
		$vec_state_0 = { 0d2cb592 de56a89f 47db82cc ad3a98d7 }
		$vec_state_1 = { 6e998d33 98b7c715 5a129ef5 5780e7ac }
		$vec_state_2 = { 1700776a d0c762ae 6b507950 e47ca0e8 }
		$vec_state_3 = { 0c240a63 8d82ad07 0500a179 4849997e }
		$vec_xkey_0 = { 8983faf6 9f94248b bf56dc90 01028906 }
		$vec_xkey_1 = { d163b261 3ce0f451 c64310ee 9bf918ed }
		$lane_gen1_0 = { 1749f4b4 2b55b5db 09667162 53a5ac6d }
		$lane_gen1_1 = { 4edca10d 78d32517 0d716a84 07af7c6d }
		$lane_gen1_2 = { 45e3203e 4f79c0f4 c67e949f f162123f }
		$lane_gen1_3 = { 54911649 884c3116 7c31bab1 3581ef6a }
		$lane_gen4_0 = { 3fd2e599 2b6d542f db3d83d1 ddaa2164 }
		$lane_gen4_1 = { e5cddfa5 539df706 553f91b6 50340eb2 }
		$lane_gen4_2 = { bf021c17 9f67a40a af7b5e51 04d93e5c }
		$lane_gen4_3 = { 91d2ded8 853767cd 085d8fe7 63376285 }
		$lane_gen4_4 = { b4ff9e22 6d8b513d a6a7d6e3 736f82b5 }
		$lane_gen4_5 = { d2b772b2 4e4d02e9 d9b3109c f36b56c7 }
		$lane_gen4_6 = { a7ef3bf6 0a66a92b 8ba365f7 e7c973f2 }
		$lane_gen4_7 = { 2d76b0c0 fdd1060c de395891 09d67c7a }
		$lane_state_0 = { ad3a98d7 47db82cc de56a89f 0d2cb592 }
		$lane_state_1 = { 5780e7ac 5a129ef5 98b7c715 6e998d33 }
		$lane_state_2 = { e47ca0e8 6b507950 d0c762ae 1700776a }
		$lane_state_3 = { 4849997e 0500a179 8d82ad07 0c240a63 }
		$lane_xkey_0 = { 01028906 bf56dc90 9f94248b 8983faf6 }
		$lane_xkey_1 = { 9bf918ed c64310ee 3ce0f451 d163b261 }
	condition:
		4 of ($vec_*) or 4 of ($lane_*)
}

/*
 * Lookalikes: Knuth's MMIX multiplier 0x5851f42d4c957f2d, which opens the table
 * (redis, postgres, php, ffmpeg, every PCG generator). The string starts behind
 * it, at the six addends that follow; these are RandomX's own. The seventh is
 * left out because clang keeps six in vectors and the last as an immediate.
 */
rule RandomX_Superscalar_Table
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "image"
		severity = "HIGH"
		reference = "tevador/RandomX doc/specs.md 7.3, src/asm/program_sshash_constants.inc"
		description = "Start constants of the RandomX superscalar hash, which builds the RandomX dataset: the program contains a RandomX implementation."
	strings:
		$adds = {
			fca1f559 8a970a81 46d8c238 df9970a7 5c4922bf 1cb92681 628a9f17 97254d49
			0cecaace b9ef3792 782de66c 74562a2f
		}
	condition:
		$adds
}

/*
 * Lookalikes: the MMIX multiplier as an immediate (any PCG generator) is not
 * among the strings. Each string is "mov r64, imm64; xor r64", 12 bytes, for
 * the three registers that gcc takes in this loop, and in the form that V8
 * gives to WebAssembly (where a file holds it: all anonymous memory is spared
 * strings as short as these). The immediate alone would be 8 bytes, too short for the
 * prefilter. An aarch64 compiler splits the same constants over movz/movk,
 * where no run of bytes is left to match: there, and with other choices of
 * registers, RandomX_AES_Keys and the table have to do.
 */
rule RandomX_Superscalar_Immediates
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "code"
		severity = "HIGH"
		reference = "tevador/RandomX src/dataset.cpp, initDatasetItem()"
		description = "Machine code that loads five or more RandomX superscalar constants, as the portable dataset builder does when compiled."
	strings:
		$rax_2 = { 48b846d8 c238df99 70a74831 }
		$rax_3 = { 48b85c49 22bf1cb9 26814831 }
		$rax_4 = { 48b8628a 9f179725 4d494831 }
		$rax_5 = { 48b80cec aaceb9ef 37924831 }
		$rax_6 = { 48b8782d e66c7456 2a2f4831 }
		$rax_7 = { 48b84ee5 2cb6f73b 85844831 }
		$rcx_2 = { 48b946d8 c238df99 70a74831 }
		$rcx_3 = { 48b95c49 22bf1cb9 26814831 }
		$rcx_4 = { 48b9628a 9f179725 4d494831 }
		$rcx_5 = { 48b90cec aaceb9ef 37924831 }
		$rcx_6 = { 48b9782d e66c7456 2a2f4831 }
		$rcx_7 = { 48b94ee5 2cb6f73b 85844831 }
		$rdx_2 = { 48ba46d8 c238df99 70a74831 }
		$rdx_3 = { 48ba5c49 22bf1cb9 26814831 }
		$rdx_4 = { 48ba628a 9f179725 4d494831 }
		$rdx_5 = { 48ba0cec aaceb9ef 37924831 }
		$rdx_6 = { 48ba782d e66c7456 2a2f4831 }
		$rdx_7 = { 48ba4ee5 2cb6f73b 85844831 }
		$wasm_1 = { 48bafca1 f5598a97 0a814833 }
		$wasm_2 = { 48ba46d8 c238df99 70a74833 }
		$wasm_3 = { 48ba5c49 22bf1cb9 26814833 }
		$wasm_4 = { 48ba628a 9f179725 4d494833 }
		$wasm_5 = { 48ba0cec aaceb9ef 37924833 }
		$wasm_6 = { 48ba782d e66c7456 2a2f4833 }
		$wasm_7 = { 48ba4ee5 2cb6f73b 85844833 }
	condition:
		5 of ($rax_*) or 5 of ($rcx_*) or 5 of ($rdx_*) or 5 of ($wasm_*)
}

/*
 * Lookalikes: the same table in a program that merely contains RandomX (an idle
 * Monero node or wallet) lies in file-backed memory, which this class leaves
 * out. A node that verifies blocks does have it: constants cannot tell the two
 * apart. A packed program (UPX) runs from anonymous memory altogether, so there
 * the rule shows the code of RandomX, not its activity.
 */
rule RandomX_JIT_Superscalar
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "jit"
		severity = "HIGH"
		reference = "tevador/RandomX src/jit_compiler_x86.cpp, src/jit_compiler_a64_static.S"
		description = "The RandomX superscalar constants inside freshly generated machine code: a RandomX just-in-time compiler is running in this process."
	strings:
		$adds = {
			fca1f559 8a970a81 46d8c238 df9970a7 5c4922bf 1cb92681 628a9f17 97254d49
			0cecaace b9ef3792 782de66c 74562a2f
		}
	condition:
		$adds
}

/*
 * RandomX as a WebAssembly module, in the heap of a browser or of node, which
 * keep a module's bytes while it lives: how it begins an item of its dataset,
 * (number + 1) * superscalarMul0, which LLVM turns into number * mul + mul.  The
 * same 24 bytes at -O1 to -O3, -Os, -Oz, with link-time optimization and with
 * SIMD (Emscripten 3.1, LLVM 14).  Lookalikes: the number is Knuth's multiplier
 * (MMIX), which many generators have; they add 1 (musl's rand) or a number of
 * their own (PCG, Rust's rand_core), never the multiplier itself.
 * MEDIUM, since a proxy or a cache that passes the module on has the same bytes.
 */
rule RandomX_Wasm
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "any"
		severity = "MEDIUM"
		reference = "tevador/RandomX src/dataset.cpp, initDatasetItem; WebAssembly core specification 5.4"
		description = "RandomX as WebAssembly instructions: a module that computes RandomX is loaded in a browser or a JavaScript runtime."
	strings:
		$item = { 42adfed5e4d485fda8d800 7e 42adfed5e4d485fda8d800 7c }
	condition:
		$item
}
