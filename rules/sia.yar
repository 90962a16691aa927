/*
 * BLAKE2b-256 of an 80-byte header (Sia, Decred's relatives on BLAKE2b). One
 * block, so that miners begin with the working vector ready: the initial values
 * with the length (80) and the last-block flag folded in. A miner that calls a
 * library's BLAKE2b (cpuminer-multi) has no such thing; its page digests or its
 * protocol have to tell.
 * aarch64: the tables are the same; there, and where gcc -O1 writes immediates,
 * the second rule's strings are split up by other compilers.
 */

/*
 * Lookalikes: BLAKE2b in libraries (libsodium, OpenSSL, coreutils' b2sum, zstd's
 * and borg's) has the plain initial value and adds the length at run time. The
 * inverted sixth word, last-block flag and all, follows at its place here.
 */
rule Sia_Blake2b_Vector
{
	meta:
		family = "Blake2b-Sia"
		algorithm = "BLAKE2b-256 of 80 bytes"
		where = "image"
		severity = "HIGH"
		reference = "RFC 7693 3.2 with t = 80 and the final flag; Sia types/block.go"
		description = "BLAKE2b's working vector prepared for a last block of 80 bytes, the size of a Sia block header."
	strings:
		$v12 = {
			8182e6ad 7f520e51 1f6c3e2b 8c68059b 9442be04 54267ce0 79217e13 19cde05b
		}
	condition:
		$v12
}

/*
 * Lookalikes: BLAKE2b's plain words differ in the low byte of the first and in
 * every bit of the second. Twelve bytes each: mov r64, imm64; mov to the stack.
 */
rule Sia_Blake2b_Immediates
{
	meta:
		family = "Blake2b-Sia"
		algorithm = "BLAKE2b-256 of 80 bytes"
		where = "code"
		severity = "HIGH"
		reference = "RFC 7693 3.2 with t = 80 and the final flag"
		description = "Machine code that loads BLAKE2b's working vector prepared for a last block of 80 bytes."
	strings:
		$t_rax = { 48b88182 e6ad7f52 0e514889 }
		$t_rcx = { 48b98182 e6ad7f52 0e514889 }
		$t_rdx = { 48ba8182 e6ad7f52 0e514889 }
		$f_rax = { 48b89442 be045426 7ce04889 }
		$f_rcx = { 48b99442 be045426 7ce04889 }
		$f_rdx = { 48ba9442 be045426 7ce04889 }
		$f_rbx = { 48bb9442 be045426 7ce04889 }
	condition:
		any of ($t_*) and any of ($f_*)
}
