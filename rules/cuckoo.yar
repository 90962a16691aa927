/*
 * Cuckoo Cycle (Grin's Cuckatoo and Cuckaroo, Aeternity) and BLAKE3 (Alephium,
 * Decred): proof of work without a constant of its own. SipHash takes its keys
 * from the block, BLAKE3's constants are SHA-256's. What is left are the words
 * of the known solvers; a solver without them is known by page digests only.
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
