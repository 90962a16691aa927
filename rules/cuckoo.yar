/*
 * Cuckoo Cycle (Grin's Cuckatoo and Cuckaroo, Aeternity) and BLAKE3 (Alephium,
 * Decred): proof of work without a constant of its own. SipHash takes its keys
 * from the block, BLAKE3's constants are SHA-256's. What is left are the words
 * of the known solvers and what every solver says to its pool, whatever program
 * it is; one that talks to nobody is known by page digests only.
 */

/*
 * Lookalikes: nodes of such coins (grin, aeternity) verify with the same errors
 * and are LOW while idle; the words in an editor, a pager or a log are heap
 * memory, which this class leaves out. MEDIUM, because text can be removed.
 */
rule Cuckoo_Solver
{
	meta:
		family = "Cuckoo Cycle"
		algorithm = "Cuckatoo, Cuckaroo, Cuckoo"
		where = "image"
		severity = "MEDIUM"
		reference = "tromp/cuckoo src (cuckatoo, cuckaroo: lean, mean and verify)"
		description = "Messages of the reference solvers and verifiers of Cuckoo Cycle in the program's own image."
	strings:
		$look_cuckatoo = "Looking for %d-cycle on cuckatoo%d("
		$look_cuckaroo = "Looking for %d-cycle on cuckaroo"
		$look_cuckoo = "Looking for %d-cycle on cuckoo%d("
		$keys = "nonce %d k0 k1 k2 k3 %llx %llx %llx %llx"
		$hash = "Verified with cyclehash "
		$error_order = "edges not ascending"
		$error_match = "endpoints don't match up"
		$error_branch = "branch in cycle"
		$error_dead = "cycle dead ends"
		$error_short = "cycle too short"
	condition:
		any of ($look_*) or ($keys and $hash) or 4 of ($error_*)
}

/*
 * Lookalikes: programs that use BLAKE3 (b3sum, clang, rust tools) have functions
 * of BLAKE3's own interface; these two are the miner's. Not seen to match: no
 * such program may be run here.
 */
rule Alephium_Miner
{
	meta:
		family = "BLAKE3-Alephium"
		algorithm = "BLAKE3 twice"
		where = "image"
		severity = "MEDIUM"
		reference = "alephium/gpu-miner src/blake3.cu"
		description = "Names of the functions of Alephium's miner, whose BLAKE3 has no constant that tells."
	strings:
		$mine = "blake3_hasher_mine"
		$double = "blake3_hasher_double_hash"
	condition:
		any of them
}

/*
 * Solvers hash many edges at once, and rotate 64-bit lanes by 16 bits with a
 * shuffle of bytes. BLAKE2b and ChaCha rotate by other distances or the other
 * way, Keccak never by 16; what could match is a conversion of pixels with four
 * 16-bit channels, Skein-256 or another SipHash in lanes: hence MEDIUM. None of 5122 ELF
 * files of a Debian with browsers, codecs and toolkits has it. Solvers built
 * without AVX2 rotate with instructions that name no constant.
 */
rule Cuckoo_SipHash_Lanes
{
	meta:
		family = "Cuckoo Cycle"
		algorithm = "Cuckatoo, Cuckaroo, Cuckoo"
		where = "image"
		severity = "MEDIUM"
		reference = "tromp/cuckoo src/crypto/siphashxN.h, ROTATE16"
		description = "SipHash-2-4 of many edges at once, as the vectorized solvers of Cuckoo Cycle compute it: the shuffle that rotates 64-bit lanes left by 16."
	strings:
		$rotate_16 = { 06070001 02030405 0e0f0809 0a0b0c0d }
	condition:
		$rotate_16
}

/*
 * The same rotation as clang writes it, intrinsics included: low and high words
 * of each lane are shuffled in place (vpshuflw and vpshufhw by 0x93), then comes
 * the exclusive or. Eleven bytes for each register; of the six rounds of SipHash
 * all with AVX2 and AVX, some with SSE2, where the place can change. Lookalikes: as above; BLAKE2b's rotation by
 * 16 to the right is 0x39. None of 5337 ELF files has even one.
 */
rule Cuckoo_SipHash_Shuffles
{
	meta:
		family = "Cuckoo Cycle"
		algorithm = "Cuckatoo, Cuckaroo, Cuckoo"
		where = "code"
		severity = "MEDIUM"
		reference = "tromp/cuckoo src/crypto/siphashxN.h, ROTATE16; Intel SDM, PSHUFLW and PSHUFHW"
		description = "SipHash-2-4 of many edges at once, as the vectorized solvers of Cuckoo Cycle compute it: machine code that rotates 64-bit lanes left by 16, again and again."
	strings:
		$ymm0 = { c5ff70c093 c5fe70c093 c5 }
		$ymm1 = { c5ff70c993 c5fe70c993 c5 }
		$ymm2 = { c5ff70d293 c5fe70d293 c5 }
		$ymm3 = { c5ff70db93 c5fe70db93 c5 }
		$ymm4 = { c5ff70e493 c5fe70e493 c5 }
		$ymm5 = { c5ff70ed93 c5fe70ed93 c5 }
		$ymm6 = { c5ff70f693 c5fe70f693 c5 }
		$ymm7 = { c5ff70ff93 c5fe70ff93 c5 }
		$xmm0 = { c5fb70c093 c5fa70c093 c5 }
		$xmm1 = { c5fb70c993 c5fa70c993 c5 }
		$xmm2 = { c5fb70d293 c5fa70d293 c5 }
		$xmm3 = { c5fb70db93 c5fa70db93 c5 }
		$xmm4 = { c5fb70e493 c5fa70e493 c5 }
		$xmm5 = { c5fb70ed93 c5fa70ed93 c5 }
		$xmm6 = { c5fb70f693 c5fa70f693 c5 }
		$xmm7 = { c5fb70ff93 c5fa70ff93 c5 }
		$sse0 = { f20f70c093 f30f70c093 66 }
		$sse1 = { f20f70c993 f30f70c993 66 }
		$sse2 = { f20f70d293 f30f70d293 66 }
		$sse3 = { f20f70db93 f30f70db93 66 }
		$sse4 = { f20f70e493 f30f70e493 66 }
		$sse5 = { f20f70ed93 f30f70ed93 66 }
		$sse6 = { f20f70f693 f30f70f693 66 }
		$sse7 = { f20f70ff93 f30f70ff93 66 }
	condition:
		for any of them : ( # >= 3 )
}

/*
 * A session with a Grin pool or node. Lookalikes: other pools' jobs have no
 * pre_pow; text about the protocol shows one side, or sets blanks and line breaks.
 * The string ends as headers begin, in version 5 and the height. Pools and nodes
 * that serve miners hold both sides, too, and are idle beside a solver.
 */
rule Grin_Live_Session
{
	meta:
		family = "Cuckoo Cycle"
		algorithm = "Cuckatoo, Cuckaroo"
		where = "any"
		severity = "MEDIUM"
		reference = "mimblewimble/grin doc/stratum.md; core/src/core/block.rs, a header's serialization"
		description = "A job of a Grin pool and the miner's requests in memory: the process works on Cuckoo Cycle for a pool."
	strings:
		$tell_job = ",\"pre_pow\":\"000500000000"
		$ask_job = "\"method\":\"getjobtemplate\""
		$ask_job_wide = "\"method\": \"getjobtemplate\""
		$ask_submit = "\"method\":\"submit\",\"params\":{\"edge_bits\":"
		$ask_login = "\"method\":\"login\",\"params\":{\"agent\":\""
		$ask_login_text = "\"2.0\",\"method\":\"login\",\"params\":{\"login\":\""
	condition:
		$tell_job and any of ($ask_*)
}

/*
 * A session with an Alephium pool. Lookalikes: an Alephium node and its wallets
 * speak of fromGroup, toGroup and headerBlob as well, not in mining.notify; no
 * other coin's job is a list of objects that begins with a jobId. There are four
 * groups (alephium/alephium, GroupConfig).
 */
rule Alephium_Live_Session
{
	meta:
		family = "BLAKE3-Alephium"
		algorithm = "BLAKE3 twice"
		where = "any"
		severity = "MEDIUM"
		reference = "alephium/mining-pool lib/stratum.js and blockTemplate.js; alephium/docs alephium-stratum.md"
		description = "Jobs of an Alephium pool, or the greeting of its protocol, in memory: the process mines with BLAKE3 for a pool."
	strings:
		$tell_notify = "\"mining.notify\",\"params\":[{\"jobId\":\""
		$tell_header0 = "\"toGroup\":0,\"headerBlob\":\"0007"
		$tell_header1 = "\"toGroup\":1,\"headerBlob\":\"0007"
		$tell_header2 = "\"toGroup\":2,\"headerBlob\":\"0007"
		$tell_header3 = "\"toGroup\":3,\"headerBlob\":\"0007"
		$ask_hello = "\"method\":\"mining.hello\",\"params\":[\""
		$hello_version = ",\"AlephiumStratum/1.0.0\"]"
	condition:
		($tell_notify and any of ($tell_header*)) or ($ask_hello and $hello_version)
}
