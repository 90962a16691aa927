// The beginnings of RandomX's items, over and over, by WebAssembly.
// usage: node randomx_item.cjs MODULE
const { readFileSync } = require('fs');

WebAssembly.instantiate(readFileSync(process.argv[2])).then(({ instance }) => {
	const { memory, registers, begin_item } = instance.exports;
	const r = new BigUint64Array(memory.buffer, registers(), 8);

	for (let i = 0n; ; i++) {
		begin_item(i);
		if (r[0] !== BigInt.asUintN(64, (i + 1n) * 6364136223846793005n) ||
		    (r[0] ^ r[7]) !== 9549104520008361294n)
			throw new Error(`item ${i} begins with ${r}`);
		if (i === 500n)
			console.log('ready');
	}
});
