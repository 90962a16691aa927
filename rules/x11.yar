/*
 * Chains of the SHA-3 competition's losers: X11, X13, X15, X16R, X17, Quark,
 * HMQ1725, GhostRider and the like.
 *
 * One of these hashes may be in a checksum tool; three of them side by side have
 * been seen in miners only. Short chains have two. Wallets and nodes of such coins will match too.
 * aarch64: the tables are the same. Multi-way miners reverse or repeat lanes:
 * those forms are listed beside the plain tables.
 */

/*
 * Lookalikes: rhash and electrum have the initial value of BMW (not its final
 * constants); Whirlpool, Streebog, BLAKE, Skein and JH are in ordinary
 * libraries and are not counted; SHAvite's and ECHO's AES tables are anybody's.
 * Different forms of one hash count once.
 */
rule X11_Hash_Zoo
{
	meta:
		family = "X11/X16R"
		algorithm = "X11, X16R, GhostRider and relatives"
		where = "image"
		severity = "HIGH"
		reference = "SHA-3 second-round submissions (Luffa, CubeHash, SHAvite-3, SIMD, Hamsi, Fugue, Shabal, BMW); sphlib 3.0"
		description = "Initial values or tables of three or more rejected SHA-3 candidates in one program, as only chained-hash proof of work needs them."
	strings:
		$luffa_iv = {
			691e256d e051b044 b46faa4e 6584f7db 1120296e f42d1590 398105ee bb10f6de
		}
		$luffa_reversed = { 6584f7db b46faa4e e051b044 691e256d }
		$luffa_repeated = {
			691e256d e051b044 b46faa4e 6584f7db 691e256d e051b044 b46faa4e 6584f7db
		}
		$cubehash_iv = {
			612aea2a d494f450 8b8b532d 3ed86741 1323ee3f 8ccf01c7 8e9639cc 9556ac50
		}
		$cubehash_repeated = {
			612aea2a d494f450 8b8b532d 3ed86741 612aea2a d494f450 8b8b532d 3ed86741
		}
		$cubehash_4way = { 612aea2a 612aea2a 612aea2a 612aea2a }
		$shavite_iv = {
			d8cdfc72 2747ca79 7b078a12 ec5ad540 061a90d1 07e30a43 d15c9fb2 fcfb07df
		}
		$simd_iv = {
			956ba10b ad99f972 aec2ec9f fc6432ba 2949895e e5309f8e 37aa1d2f 58c5f2f0
		}
		$simd_repeated = {
			956ba10b ad99f972 aec2ec9f fc6432ba 956ba10b ad99f972 aec2ec9f fc6432ba
		}
		$hamsi_iv = {
			65657473 7261706c 7241206b 65626e65 31206772 62202c30 32207375 2c363434
		}
		$fugue_iv = {
			7ea50788 75af16e6 dbe4d3c5 27b09aac 17f115d9 54cceeb6 0b02e806 d1ef924a
		}
		$fugue_mix = {
			97326363 eb6f7c7c c75e7777 f77a7b7b e5e8f2f2 b70a6b6b a7166f6f 396dc5c5
		}
		$shabal_iv = {
			fd8d7220 53bdc046 99b682e7 32463055 90efb471 2ce8a90e f130b9db 8b6bd0fa
		}
		$shabal_4way = { 53bdc046 53bdc046 53bdc046 53bdc046 }
		$bmw_final = {
			a0aaaaaa aaaaaaaa a1aaaaaa aaaaaaaa a2aaaaaa aaaaaaaa a3aaaaaa aaaaaaaa
			a4aaaaaa aaaaaaaa a5aaaaaa aaaaaaaa
		}
		$bmw_4way = {
			8f8e8d8c 8b8a8988 8f8e8d8c 8b8a8988 8f8e8d8c 8b8a8988 8f8e8d8c 8b8a8988
		}
	condition:
		for 3 hash in (1..8) : (
			(hash == 1 and any of ($luffa_*)) or
			(hash == 2 and any of ($cubehash_*)) or
			(hash == 3 and $shavite_iv) or
			(hash == 4 and any of ($simd_*)) or
			(hash == 5 and $hamsi_iv) or
			(hash == 6 and any of ($fugue_*)) or
			(hash == 7 and any of ($shabal_*)) or
			(hash == 8 and any of ($bmw_*))
		)
}

/*
 * Two of them, or Groestl beside JH: Nist5 and Quark, Fresh, Skunk, Phi1612,
 * Veltor. Lookalikes: as above; Groestl and JH were finalists, but libraries have
 * one of them at most (botan neither), and hence MEDIUM; Monero's node and wallets
 * have both, with the table of JH's reference code ($cryptonote).
 */
rule X11_Hash_Pair
{
	meta:
		family = "X11/X16R"
		algorithm = "Quark, Nist5, Fresh, Skunk, Phi1612, Veltor"
		where = "image"
		severity = "MEDIUM"
		reference = "SHA-3 second-round submissions; JH and Groestl final submissions; sphlib 3.0"
		description = "Two rejected SHA-3 candidates, or JH-512 and Groestl, in one program, as short chains of proof of work have them."
	strings:
		$lost_luffa = {
			691e256d e051b044 b46faa4e 6584f7db 1120296e f42d1590 398105ee bb10f6de
		}
		$lost_cubehash = {
			612aea2a d494f450 8b8b532d 3ed86741 1323ee3f 8ccf01c7 8e9639cc 9556ac50
		}
		$lost_shavite = {
			d8cdfc72 2747ca79 7b078a12 ec5ad540 061a90d1 07e30a43 d15c9fb2 fcfb07df
		}
		$lost_simd = {
			956ba10b ad99f972 aec2ec9f fc6432ba 2949895e e5309f8e 37aa1d2f 58c5f2f0
		}
		$lost_hamsi = {
			65657473 7261706c 7241206b 65626e65 31206772 62202c30 32207375 2c363434
		}
		$lost_fugue = {
			7ea50788 75af16e6 dbe4d3c5 27b09aac 17f115d9 54cceeb6 0b02e806 d1ef924a
		}
		$lost_shabal = {
			fd8d7220 53bdc046 99b682e7 32463055 90efb471 2ce8a90e f130b9db 8b6bd0fa
		}
		$lost_bmw = {
			a0aaaaaa aaaaaaaa a1aaaaaa aaaaaaaa a2aaaaaa aaaaaaaa a3aaaaaa aaaaaaaa
			a4aaaaaa aaaaaaaa a5aaaaaa aaaaaaaa
		}
		$jh = {
			6fd14b96 3e00aa17 636a2e05 7a15d543 8a225e8d 0c97ef0b e9341259 f2b3c361
		}
		$groestl = {
			c632f4a5 f497a5c6 f86f9784 97eb84f8 ee5eb099 b0c799ee f67a8c8d 8cf78df6
		}
		$cryptonote = {
			72d5dea2 df15f867 7b84150a b7231557 81abd690 4d5a87f6 4e9f4fc5 c3d12b40
		}
	condition:
		2 of ($lost_*) or ($jh and $groestl and not $cryptonote)
}

/*
 * The same tables in any memory: a WebAssembly module's data lies in the heap of
 * its browser or runtime. Lookalikes: rule files and signature databases in a
 * scanner's heap, which the verdict knows by being plain data of many families,
 * or idle. Plain forms only, four of them; MEDIUM for that reason.
 */
rule X11_Data
{
	meta:
		family = "X11/X16R"
		algorithm = "X11, X16R, GhostRider and relatives"
		where = "any"
		severity = "MEDIUM"
		reference = "SHA-3 second-round submissions (Luffa, CubeHash, SHAvite-3, SIMD, Hamsi, Fugue, Shabal)"
		description = "Initial values of four or more rejected SHA-3 candidates in memory of any kind, as a browser or JavaScript miner has them."
	strings:
		$luffa = {
			691e256d e051b044 b46faa4e 6584f7db 1120296e f42d1590 398105ee bb10f6de
		}
		$cubehash = {
			612aea2a d494f450 8b8b532d 3ed86741 1323ee3f 8ccf01c7 8e9639cc 9556ac50
		}
		$shavite = {
			d8cdfc72 2747ca79 7b078a12 ec5ad540 061a90d1 07e30a43 d15c9fb2 fcfb07df
		}
		$simd = {
			956ba10b ad99f972 aec2ec9f fc6432ba 2949895e e5309f8e 37aa1d2f 58c5f2f0
		}
		$hamsi = {
			65657473 7261706c 7241206b 65626e65 31206772 62202c30 32207375 2c363434
		}
		$fugue = {
			7ea50788 75af16e6 dbe4d3c5 27b09aac 17f115d9 54cceeb6 0b02e806 d1ef924a
		}
		$shabal = {
			fd8d7220 53bdc046 99b682e7 32463055 90efb471 2ce8a90e f130b9db 8b6bd0fa
		}
	condition:
		4 of them
}
