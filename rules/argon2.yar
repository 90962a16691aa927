/*
 * Argon2 as a proof of work: TurtleCoin's Chukwa (versions 1 and 2), WRKZcoin's
 * and the Argon2d coins. The function is a password hash's, without a constant
 * of its own; what is a coin's own are its parameters. Argon2 hashes them first,
 * in a fixed order, as 24 bytes: lanes, tag length, memory in KiB, passes,
 * version, kind (RFC 9106 3.2). No password is hashed with half a megabyte.
 *
 * Those bytes are working memory, on the stack or in a hash state, for as long
 * as the program leaves them there: a look may come too late, and a compiler may
 * keep them in registers. The reference implementation, which most miners carry,
 * keeps the same numbers in a structure all the while it fills its memory; and
 * gcc stores the block by a vector, which lies in the program.
 */

/*
 * Lookalikes: password hashing (libsodium: 64 MiB and up; argon2, keepassxc,
 * cryptsetup: 19 MiB and up; libsodium's smallest setting 8 KiB) has other
 * numbers in the third place and seldom stands at work; rule files hold the
 * bytes as hexadecimal text. The instance: version, passes, blocks, a segment's
 * and a lane's length, lanes, threads, kind.
 */
rule Argon2_Coin_Parameters
{
	meta:
		family = "Argon2-chukwa"
		algorithm = "Argon2id (Chukwa), Argon2d of coins"
		where = "any"
		severity = "MEDIUM"
		reference = "RFC 9106 3.2, H0; P-H-C/phc-winner-argon2 src/core.h; TurtleCoin src/crypto/hash.h; cpuminer-opt algo/argon2d"
		description = "The parameters of Argon2 with a coin's settings in working memory: an Argon2 proof of work is being computed."
	strings:
		$chukwa = { 01000000 20000000 00020000 03000000 13000000 02000000 }
		$chukwa_2 = { 01000000 20000000 00040000 04000000 13000000 02000000 }
		$wrkz = { 01000000 20000000 00010000 04000000 13000000 02000000 }
		$credits = { 04000000 20000000 fa000000 01000000 10000000 00000000 }
		$dynamic = { 08000000 20000000 f4010000 02000000 10000000 00000000 }
		$instance_chukwa = {
			13000000 03000000 00020000 80000000 00020000 01000000 01000000 02000000
		}
		$instance_chukwa_2 = {
			13000000 04000000 00040000 00010000 00040000 01000000 01000000 02000000
		}
	condition:
		any of them
}

/*
 * Lookalikes: any table of small numbers could hold these four words; none of
 * 5122 ELF files of a Debian does. Sixteen bytes: hence MEDIUM.
 */
rule Argon2_Coin_Vector
{
	meta:
		family = "Argon2-chukwa"
		algorithm = "Argon2id (Chukwa)"
		where = "image"
		severity = "MEDIUM"
		reference = "RFC 9106 3.2, H0; TurtleCoin src/crypto/hash.h"
		description = "The first four parameters of Argon2 with a coin's settings (lanes, tag length, memory, passes), ready as a vector in a program."
	strings:
		$chukwa = { 01000000 20000000 00020000 03000000 }
		$chukwa_2 = { 01000000 20000000 00040000 04000000 }
		$wrkz = { 01000000 20000000 00010000 04000000 }
	condition:
		any of them
}
