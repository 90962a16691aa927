/*
 * VerusHash (Verus Coin), mined on CPUs and phones: Haraka-512, since version 2
 * mixed with a carry-less multiplication hash. aarch64 builds carry the same
 * tables (seen in a release binary).
 */

/*
 * Lookalikes: SPHINCS+ in its Haraka flavour has the round constants, ffmpeg
 * and botan have the reduction table of the carry-less product; nobody else has
 * both.
 */
rule VerusHash_Haraka_CLHash
{
	meta:
		family = "VerusHash"
		algorithm = "VerusHash 2"
		where = "image"
		severity = "HIGH"
		reference = "Haraka v2 (ToSC 2016/2), round constants; CLHash reduction table; VerusCoin src/crypto"
		description = "Haraka round constants together with the CLHash reduction table, the two halves of VerusHash 2."
	strings:
		$haraka = {
			9d7b8175 f0fec5b2 0ac020e6 4c708406 17f7082f a46b0f64 6ba0f388 e1b4668b
		}
		$clhash = { 001b362d 6c775a41 d8c3eef5 b4af8299 }
	condition:
		all of them
}

/*
 * Lookalikes: SPHINCS+-Haraka signatures, a rare choice, do match: hence MEDIUM.
 * AES round constants and S-boxes have nothing in common with these.
 */
rule VerusHash_Haraka
{
	meta:
		family = "VerusHash"
		algorithm = "VerusHash"
		where = "image"
		severity = "MEDIUM"
		reference = "Haraka v2 (ToSC 2016/2), round constants RC0 and RC1"
		description = "Round constants of Haraka, a hash met in practice in VerusHash miners and in one variant of SPHINCS+."
	strings:
		$haraka = {
			9d7b8175 f0fec5b2 0ac020e6 4c708406 17f7082f a46b0f64 6ba0f388 e1b4668b
		}
	condition:
		$haraka
}
