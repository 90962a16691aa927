// Real Ethash by npm's @ethereumjs/ethash, one thread: its own cache and its
// own hash, over a cache of 64 KiB (the real one takes JavaScript minutes).
// usage: node ethash.cjs NODE_MODULES
const { createRequire } = require('module');
const { Ethash } = createRequire(process.argv[2] + '/')('@ethereumjs/ethash');

const MIB = 1 << 20;
const miner = new Ethash();
miner.mkcache(MIB / 16, new Uint8Array(32));
const header = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(8);
const view = new DataView(nonce.buffer);
for (let i = 0; ; i++) {
	view.setUint32(4, i);
	const { hash } = miner.run(header, nonce, 32 * MIB);
	if (i === 20)
		console.log('ready ' + Buffer.from(hash).toString('hex'));
}
