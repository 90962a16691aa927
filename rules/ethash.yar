/*
 * Ethash and its relatives (Etchash, ProgPoW, KawPow, FiroPow).
 *
 * Left out on purpose: rules on the FNV prime 0x01000193. Alone it is in more
 * than half of all programs; "twelve multiplications within 6 KiB" would need a
 * six-byte string in every page of code, which no strided prefilter can carry.
 * Implementations without the size tables (they compute primes at start) are
 * left to page digests and to the Stratum rules.
 */

/*
 * Lookalikes: none known; the tables are lists of the largest primes below
 * multiples of 8 MiB and 128 KiB, times the node size. FNV hashes and Keccak,
 * the other parts of Ethash, are everywhere and are not looked at.
 */
rule Ethash_Size_Tables
{
	meta:
		family = "Ethash"
		algorithm = "Ethash"
		where = "image"
		severity = "HIGH"
		reference = "ethereum/wiki Ethash, Appendix: data sizes; libethash data_sizes.h"
		description = "Precomputed Ethash dataset or cache sizes by epoch, needed only to build the mining dataset or to verify such work."
	strings:
		$dag = {
			80f8ff3f 00000000 80ff7f40 00000000 80efff40 00000000 80fc7f41 00000000
		}
		$cache = {
			c0feff00 00000000 c0fc0101 00000000 c0ff0301 00000000 c0fe0501 00000000
		}
	condition:
		any of them
}

/*
 * Lookalikes: the text RAVENCOINKAWPOW as bytes or in UTF-16, or with a capital
 * R: here every letter fills 32 bits, and the first is a small r, a slip in the
 * first implementation that became consensus. Its siblings have words of their own.
 */
rule KawPow_Padding
{
	meta:
		family = "KawPow"
		algorithm = "KawPow"
		where = "image"
		severity = "HIGH"
		reference = "RavenCommunity kawpowminer, libprogpow; Ravencoin, Evrmore and Meowcoin src/crypto/ethash/lib/ethash"
		description = "The Keccak padding words of KawPow (rAVENCOINKAWPOW), the proof of work of Ravencoin, or of its siblings' (Evrmore, Meowcoin)."
	strings:
		$pad = {
			72000000 41000000 56000000 45000000 4e000000 43000000 4f000000 49000000
			4e000000 4b000000 41000000 57000000 50000000 4f000000 57000000
		}
		$evrmore = {
			45000000 56000000 52000000 4d000000 4f000000 52000000 45000000 2d000000
			50000000 52000000 4f000000 47000000 50000000 4f000000 57000000
		}
		$meow = {
			4d000000 45000000 4f000000 57000000 43000000 4f000000 49000000 4e000000
			4d000000 45000000 4f000000 57000000 50000000 4f000000 57000000
		}
	condition:
		any of them
}

/*
 * Ethash in JavaScript. Such code computes its sizes, so that only its names are
 * left to see: those of the specification, which ports keep and minifiers leave
 * alone, being properties. Each string is a name as V8 stores it, behind its
 * length in 32 bits. Lookalikes: `git log`, an editor or a pager over sources of
 * Ethash (libethash quotes the specification) hold the names without a length.
 * A client that only verifies has them as well: hence LOW.
 */
rule Ethash_JavaScript
{
	meta:
		family = "Ethash"
		algorithm = "Ethash"
		where = "any"
		severity = "LOW"
		reference = "ethereum/wiki Ethash, Definitions; npm @ethereumjs/ethash dist/esm/util.js"
		description = "The parameter names of the Ethash specification as names in a JavaScript engine (V8): a script here can compute Ethash."
	strings:
		$init = "\x12\x00\x00\x00DATASET_BYTES_INIT"
		$growth = "\x14\x00\x00\x00DATASET_BYTES_GROWTH"
		$cache_growth = "\x12\x00\x00\x00CACHE_BYTES_GROWTH"
	condition:
		all of them
}
