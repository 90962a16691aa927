/*
 * CryptoNight, every variant (v0, v1, v2, R, lite, heavy, pico, gpu, half ...).
 *
 * All of them end in one of four hashes chosen by two bits of the state: BLAKE,
 * Groestl, JH or Skein, each at 256 bits. That quartet is CryptoNight's own.
 * aarch64: the tables are the same; code that reads Groestl's words as big-endian
 * has its table in the other byte order. (The Skein key constant 0x1bd11bdaa9fc1a22
 * is not used: x86-64 has it as an 8-byte immediate, aarch64 as movz/movk.)
 */

/*
 * Lookalikes: libraries with one or two of the hashes (botan has Skein, gcrypt
 * and OpenSSL have none of the three) miss the others. X11-style miners built
 * on sphlib hold all three hashes but unroll JH with other constants in memory:
 * the round constants in bit-slice order ($jh_rc) are those of the JH reference
 * code that CryptoNote took. One of the two initial values is enough: those of
 * 256 bits are CryptoNight's, and gcc and clang split one or the other up.
 */
rule CryptoNight_Tables
{
	meta:
		family = "CryptoNight"
		algorithm = "CryptoNight"
		where = "image"
		severity = "HIGH"
		reference = "CryptoNote standard CNS008; JH, Groestl and Skein SHA-3 final submissions"
		description = "JH-256, Groestl-256 and Skein-512-256 side by side, the three rare hashes with which every CryptoNight variant ends."
	strings:
		$jh_iv = {
			eb98a341 2c20d3eb 92cdbe7b 9cb245c1 1c935191 60d4c7fa 260082d6 7e508a03
		}
		$jh_rc = {
			72d5dea2 df15f867 7b84150a b7231557 81abd690 4d5a87f6 4e9f4fc5 c3d12b40
		}
		$groestl_t = {
			c632f4a5 f497a5c6 f86f9784 97eb84f8 ee5eb099 b0c799ee f67a8c8d 8cf78df6
		}
		$groestl_swapped = {
			c6a597f4 a5f432c6 f884eb97 84976ff8 ee99c7b0 99b05eee f68df78c 8d8c7af6
		}
		$skein_iv = {
			133edb2f a144d0cc eba9791a 309035e8 6f6e814f 61a0ae55 db949bae a467272a
		}
	condition:
		$jh_rc and any of ($groestl_*) and ($skein_iv or $jh_iv)
}

/*
 * The same tables in any memory: the data of a WebAssembly module, or of an
 * interpreter, lies in the heap of its browser or runtime. Lookalikes: rule
 * files and signature databases in a scanner's heap; the verdict knows them by
 * being plain data of several families, or idle. MEDIUM for that reason.
 */
rule CryptoNight_Data
{
	meta:
		family = "CryptoNight"
		algorithm = "CryptoNight"
		where = "any"
		severity = "MEDIUM"
		reference = "CryptoNote standard CNS008; JH and Groestl SHA-3 final submissions"
		description = "The tables of CryptoNight's rare hashes in memory of any kind, as a browser or JavaScript miner has them."
	strings:
		$jh_iv = {
			eb98a341 2c20d3eb 92cdbe7b 9cb245c1 1c935191 60d4c7fa 260082d6 7e508a03
		}
		$jh_rc = {
			72d5dea2 df15f867 7b84150a b7231557 81abd690 4d5a87f6 4e9f4fc5 c3d12b40
		}
		$groestl_t = {
			c632f4a5 f497a5c6 f86f9784 97eb84f8 ee5eb099 b0c799ee f67a8c8d 8cf78df6
		}
		$groestl_swapped = {
			c6a597f4 a5f432c6 f884eb97 84976ff8 ee99c7b0 99b05eee f68df78c 8d8c7af6
		}
	condition:
		$jh_iv and $jh_rc and any of ($groestl_*)
}
