/*
 * Lyra2REv2 and v3, Lyra2Z and Allium (Vertcoin, Monacoin, Garlicoin).
 *
 * Lyra2 itself is BLAKE2b's permutation and has no constant of its own. The
 * chains around it have: CubeHash and Blue Midnight Wish at 256 bits, which
 * nobody else computes. Lyra2Z (BLAKE-256 and Lyra2 alone) has nothing rare and
 * is known by page digests and by the Stratum rules only.
 */

/*
 * Lookalikes: rhash and electrum have BMW's initial value, not its final
 * constants; X11 computes both hashes at 512 bits, where every constant differs
 * (a miner that carries sphlib whole, as xmrig does for GhostRider, has both
 * sizes and is named as Lyra2, too); BLAKE2b and BLAKE-256 are in ordinary
 * libraries and are not looked at.
 */
rule Lyra2RE_Chain
{
	meta:
		family = "Lyra2"
		algorithm = "Lyra2REv2, Lyra2REv3"
		where = "image"
		severity = "HIGH"
		reference = "CubeHash and Blue Midnight Wish, SHA-3 second round submissions; Vertcoin src/crypto/Lyra2RE"
		description = "The initial value of CubeHash-256 beside the final constants of BMW-256, the two rare hashes of the Lyra2RE chains."
	strings:
		$cubehash = {
			b4d42bea 9ff2d6cc 717e1163 ae1e4835 5b2d5122 634ed9e5 3141627e be12ccf4
		}
		$bmw = {
			a0aaaaaa a1aaaaaa a2aaaaaa a3aaaaaa a4aaaaaa a5aaaaaa a6aaaaaa a7aaaaaa
		}
	condition:
		all of them
}

/*
 * Lookalikes: none known; CubeHash-256 alone is in Allium's and Lyra2REv2's
 * miners built so that BMW's constants are computed. MEDIUM, since a collection
 * of hash functions may have it.
 */
rule Lyra2RE_CubeHash
{
	meta:
		family = "Lyra2"
		algorithm = "Lyra2REv2, Allium"
		where = "image"
		severity = "MEDIUM"
		reference = "CubeHash, SHA-3 second round submission, 16 rounds of 32 bytes, 256 bits"
		description = "The initial value of CubeHash at 256 bits, met in practice in Lyra2RE and Allium miners."
	strings:
		$cubehash = {
			b4d42bea 9ff2d6cc 717e1163 ae1e4835 5b2d5122 634ed9e5 3141627e be12ccf4
		}
	condition:
		$cubehash
}
