/*
 * NeoScrypt (Feathercoin, Phoenixcoin). Its parts are BLAKE2s, Salsa20 and
 * ChaCha20; its own is FastKDF, which calls BLAKE2s with a key of 32 bytes for a
 * digest of 32, some thousand times a hash. Miners keep the initial value with
 * these parameters folded in, or compilers fold them; where neither is so (the
 * reference miner at -O1 and -Os, and by gcc -O2) nothing is left to see.
 */

/*
 * Lookalikes: plain BLAKE2s begins 0x6b08e647 (no key) and libraries fold the
 * parameters at run time, into a state on the stack, which this class leaves
 * out; WireGuard's keyed BLAKE2s has a digest of 16 bytes; Linux's random numbers
 * have these parameters, in the kernel. SHA-256's and BLAKE3's initial values have
 * another first word.
 */
rule NeoScrypt_FastKDF
{
	meta:
		family = "NeoScrypt"
		algorithm = "NeoScrypt"
		where = "image"
		severity = "HIGH"
		reference = "NeoScrypt white paper (Doering, 2014), FastKDF; RFC 7693 2.5; ghostlander neoscrypt.c"
		description = "BLAKE2s's initial value with the parameters of NeoScrypt's FastKDF (a key and a digest of 32 bytes) ready in a table."
	strings:
		$iv = {
			47c6086b 85ae67bb 72f36e3c 3af54fa5 7f520e51 8c68059b abd9831f 19cde05b
		}
		$iv_first = { 47c6086b 85ae67bb 72f36e3c 3af54fa5 }
	condition:
		any of them
}
