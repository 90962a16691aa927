/*
 * Argon2 as a proof of work: TurtleCoin's Chukwa (versions 1 and 2), WRKZcoin's
 * and the Argon2d coins. The function is a password hash's, without a constant
 * of its own; what is a coin's own are its parameters. Argon2 hashes them first,
 * in a fixed order, as 24 bytes: lanes, tag length, memory in KiB, passes,
 * version, kind (RFC 9106 3.2).
 *
 * Those bytes are working memory, on the stack or in a hash state, for as long
 * as the program leaves them there: a look may come too late, and a compiler may
 * keep them in registers. The reference implementation, which most miners carry,
 * keeps the same numbers in a structure all the while it fills its memory; and
 * what Argon2id computes of them is there in any case. The first four, as the
 * vector that gcc stores the block by, are not looked for: sixteen bytes, most of
 * them zeros, tell little and would make all code of files dearer to look at.
 */

/*
 * Lookalikes: password hashing (libsodium: 64 MiB and up; argon2, keepassxc,
 * cryptsetup: 19 MiB and up; libsodium's smallest setting 8 KiB) has other
 * numbers in the third place and seldom stands at work; half a megabyte was a
 * default of Python's, with two lanes. A megabyte or a quarter of one, four passes
 * and one lane (Chukwa v2, WRKZcoin) is what PHP hashes a password with if it is
 * told that memory_cost: there a pool's words must be beside them. Argon2d (kind
 * 0) is no password's. Rule files hold the bytes as hexadecimal text. The instance:
 * version, passes, blocks, a segment's and a lane's length, lanes, threads, kind;
 * without threads where the coin has lanes to share.
 */
rule Argon2_Coin_Parameters
{
	meta:
		family = "Argon2-chukwa"
		algorithm = "Argon2id (Chukwa), Argon2d of coins"
		where = "any"
		severity = "MEDIUM"
		reference = "RFC 9106 3.2, H0; P-H-C/phc-winner-argon2 src/core.h; TurtleCoin src/crypto/hash.h; cpuminer-opt algo/argon2d; Rin-coin src/crypto/rinhash.cpp"
		description = "The parameters of Argon2 with a coin's settings in working memory: an Argon2 proof of work is being computed."
	strings:
		$chukwa = { 01000000 20000000 00020000 03000000 13000000 02000000 }
		$chukwa_2 = { 01000000 20000000 00040000 04000000 13000000 02000000 }
		$wrkz = { 01000000 20000000 00010000 04000000 13000000 02000000 }
		$credits = { 04000000 20000000 fa000000 01000000 10000000 00000000 }
		$dynamic = { 08000000 20000000 f4010000 02000000 10000000 00000000 }
		$rin = { 01000000 20000000 40000000 02000000 13000000 00000000 }
		$instance_chukwa = {
			13000000 03000000 00020000 80000000 00020000 01000000 01000000 02000000
		}
		$instance_chukwa_2 = {
			13000000 04000000 00040000 00010000 00040000 01000000 01000000 02000000
		}
		$instance_wrkz = {
			13000000 04000000 00010000 40000000 00010000 01000000 01000000 02000000
		}
		$instance_credits = {
			10000000 01000000 f0000000 0f000000 3c000000 04000000
		}
		$instance_dynamic = {
			10000000 02000000 e0010000 0f000000 3c000000 08000000
		}
		$instance_rin = {
			13000000 02000000 40000000 10000000 40000000 01000000 01000000 00000000
		}
		$ask_login = "\"2.0\",\"method\":\"login\",\"params\":{\"login\":\""
		$ask_submit = "\"method\":\"submit\",\"params\":{\"id\":\""
		$tell_job = "\"method\":\"job\",\"params\":{\""
	condition:
		any of ($chukwa, $credits, $dynamic, $rin, $instance_chukwa,
			$instance_credits, $instance_dynamic, $instance_rin) or
		(any of ($chukwa_2, $wrkz, $instance_chukwa_2, $instance_wrkz) and
		 (any of ($ask_*) or $tell_job))
}

/*
 * Argon2id takes the positions of the first half of its first pass from blocks
 * that no password enters: G(0, G(0, Z)), Z the pass, the lane, the slice, the
 * parameters and a counter. With a coin's parameters they are constants of a
 * kilobyte, which every implementation makes anew for each hash and keeps while
 * it fills a quarter of its memory, whatever its compiler did with the parameters.
 * These are their first 32 bytes, by slice and counter. Argon2d has none.
 *
 * Lookalikes: any other parameter makes another block. Half a megabyte and three
 * passes with one lane are no password's; Chukwa v2's and WRKZcoin's are in reach
 * of one, as above, so that there a pool's words must be beside them. A scanner
 * with this rule loaded is idle or has many families.
 */
rule Argon2_Coin_Addresses
{
	meta:
		family = "Argon2-chukwa"
		algorithm = "Argon2id (Chukwa)"
		where = "any"
		severity = "MEDIUM"
		reference = "RFC 9106 3.4.1.2 and 3.4.1.3, computed; TurtleCoin src/crypto/hash.h for the parameters"
		description = "The address blocks of Argon2id with a coin's settings in working memory: an Argon2 proof of work is being computed."
	strings:
		$v1_slice_0 = {
			819f37f8 e7117d55 34daf537 89c9e024 25bf6e7d 53ded215 6654adad 062017b2
		}
		$v1_slice_1 = {
			b68a5029 ced4f496 94610b07 c710fde4 d3677ef4 1743e40f 89324a64 cba65e7e
		}
		$v2_slice_0 = {
			b8680186 f8229030 fccaf1e1 19184a45 8a3d0c29 027396b9 2bc0ed1c b0819682
		}
		$v2_slice_0_more = {
			873d0e97 29d404de 2d7def28 a8318891 8ab1dac9 e7f2c74f 44080146 7a202f1a
		}
		$v2_slice_1 = {
			8fd37392 7ad88de4 12588576 73e90b2e e74e5e40 95ac7310 5df61ddd deb4be01
		}
		$v2_slice_1_more = {
			c2b7e65b ba965723 a91f283c 80b12425 cd494f1a d015e51d f7b3b74f f843e0ad
		}
		$wrkz_slice_0 = {
			854e34af 8a5af084 918b124a e3879a43 c8ac1ce1 bea425aa 003f838f cc0a73e6
		}
		$wrkz_slice_1 = {
			6b2d2b86 da78fb08 52c9e60d a5024482 f0d7697f 64369337 7ed24858 31f69f92
		}
		$ask_login = "\"2.0\",\"method\":\"login\",\"params\":{\"login\":\""
		$ask_submit = "\"method\":\"submit\",\"params\":{\"id\":\""
		$tell_job = "\"method\":\"job\",\"params\":{\""
	condition:
		any of ($v1_*) or
		(any of ($v2_*, $wrkz_*) and (any of ($ask_*) or $tell_job))
}
