/*
 * kHeavyHash (Kaspa). The strings were computed: the state of cSHAKE256 after
 * its domain string has been absorbed. They agree with the tables in Kaspa's
 * node, whose folded padding lies behind them. No such miner has been run against
 * the rule.
 */

/*
 * Lookalikes: Keccak round constants and cSHAKE code (any libcrypto) compute
 * such states at run time and do not store them.
 */
rule KHeavyHash_Initial_States
{
	meta:
		family = "kHeavyHash"
		algorithm = "kHeavyHash"
		where = "image"
		severity = "HIGH"
		reference = "NIST SP 800-185 cSHAKE256 with S = ProofOfWorkHash and HeavyHash; kaspanet/rusty-kaspa crypto/hashes pow_hashers.rs"
		description = "Precomputed cSHAKE256 states of Kaspa's two proof-of-work hashes."
	strings:
		$pow = {
			3dd8f6a1 0dff3c11 3c7e02b7 5588bf29 d244fb0e 722e5f1e a06998f5 a3a4a51b
		}
		$heavy = {
			098524b2 524cd73a 16429f2f 0e9b6279 eef8c716 48ff147a 98640580 4c5fa711
		}
	condition:
		any of them
}
