/*
 * Mining protocol and configuration, in support of the constants: a miner with
 * its strings edited has none of this, so no rule here is HIGH.
 */

/*
 * A mining program's own read-only text. Lookalikes: `git log -p` over a miner's
 * repository, an editor or a shell that shows such text have it in heap memory,
 * which this class leaves out; wallets and nodes speak JSON-RPC but not
 * mining.subscribe. Pool servers and proxies have the protocol in their image,
 * too: they belong to the same trade.
 */
rule Stratum_Miner_Program
{
	meta:
		family = "Stratum"
		algorithm = "any"
		where = "image"
		severity = "MEDIUM"
		reference = "Stratum mining protocol (slushpool, 2012); EIP-1571; xmrig and cpuminer sources"
		description = "Commands of the Stratum mining protocol, or some of them and the options or messages of a mining client, in the program's own image."
	strings:
		$proto_subscribe = "mining.subscribe"
		$proto_authorize = "mining.authorize"
		$proto_difficulty = "mining.set_difficulty"
		$proto_target = "mining.set_target"
		$proto_extranonce = "mining.set_extranonce"
		$proto_eth_login = "eth_submitLogin"
		$proto_eth_rate = "eth_submitHashrate"
		$proto_url = "stratum+tcp://\x00"
		$proto_url_tls = "stratum+ssl://\x00"
		$proto_eth = "EthereumStratum/1.0.0"
		$miner_donate_host = "donate.v2.xmrig.com"
		$miner_pools = "no active pools, stop mining"
		$miner_restart = "Stratum requested work restart"
		$miner_session = "Stratum session id: %s"
		$miner_coinbase = "--coinbase-addr="
	condition:
		4 of ($proto_*) or (3 of ($proto_*) and any of ($miner_*))
}

/*
 * A session with a pool, as it stands in the buffers of any program, scripts in
 * node or Python and WebAssembly included. Lookalikes: source code of miners
 * writes these lines with escaped quotes or blanks and shows one side of the
 * talk; the strings here are JSON as sent, and both sides are asked for: an Ethereum
 * client has answers such as getwork's, and never logs in to a pool. A pool or a
 * proxy holds both sides too: hence LOW.
 */
rule Stratum_Live_Session
{
	meta:
		family = "Stratum"
		algorithm = "any"
		where = "any"
		severity = "LOW"
		reference = "Stratum mining protocol (slushpool, 2012); xmrig doc/STRATUM.md"
		description = "Requests to a mining pool and its answers in memory: the process talks, or has just talked, to a pool."
	strings:
		$ask_login = "\"2.0\",\"method\":\"login\",\"params\":{\"login\":\""
		$ask_login_wide = "\"method\": \"login\", \"params\": {\"login\": \""
		$ask_login_bare = "{\"method\":\"login\",\"params\":{\"login\":\""
		$ask_submit = "\"method\":\"submit\",\"params\":{\"id\":\""
		$ask_submit_wide = "\"method\": \"submit\", \"params\": {\"id\": \""
		$ask_subscribe = "\"method\": \"mining.subscribe\", \"params\": ["
		$ask_subscribe_tight = "\"method\":\"mining.subscribe\",\"params\":["
		$ask_authorize = "\"method\": \"mining.authorize\", \"params\": [\""
		$ask_authorize_tight = "\"method\":\"mining.authorize\",\"params\":[\""
		$ask_share = "\"method\": \"mining.submit\", \"params\": [\""
		$ask_share_tight = "\"method\":\"mining.submit\",\"params\":[\""
		$ask_template = "\"method\":\"getjobtemplate\",\"params\":"
		$ask_eth = "\"method\":\"eth_submitLogin\""
		$ask_eth_wide = "\"method\": \"eth_submitLogin\""
		$ask_submit_edge = "\"method\":\"submit\",\"params\":{\"edge_bits\":"
		$tell_job = "\"method\":\"job\",\"params\":{\""
		$tell_notify_objects = "\"method\":\"mining.notify\",\"params\":[{\""
		$tell_notify = "\"method\": \"mining.notify\", \"params\": [\""
		$tell_notify_tight = "\"method\":\"mining.notify\",\"params\":[\""
		$tell_eth = "\"jsonrpc\":\"2.0\",\"result\":[\"0x"
		$tell_eth_wide = "\"jsonrpc\": \"2.0\", \"result\": [\"0x"
		$tell_notify_params = "\"],\"method\":\"mining.notify\"}"
		$tell_notify_last = "],\"id\":null,\"method\":\"mining.notify\"}"
	condition:
		any of ($ask_*) and any of ($tell_*)
}
