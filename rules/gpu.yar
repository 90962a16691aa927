/*
 * Miners on graphics cards. The host process keeps the kernels as text, OpenCL or
 * CUDA, or the driver's compiler leaves a copy in its heap. Its processor share
 * may be small: the verdict takes a mapped compute device for work.
 */

/*
 * Lookalikes: sources of such a miner in an editor or in `git log` have the same
 * words, in heap memory, and no compute device: the verdict calls them carriers.
 * Two or three names of one algorithm are asked for. MEDIUM for that reason.
 */
rule GPU_Kernel_Ethash
{
	meta:
		family = "Ethash"
		algorithm = "Ethash, ProgPoW, KawPow"
		where = "any"
		severity = "MEDIUM"
		reference = "EIP-1057; xmrig src/backend/opencl/cl/kawpow, src/backend/cuda"
		description = "Kernel source of Ethash or ProgPoW for graphics cards in memory."
	strings:
		$dag = "__kernel void ethash_calculate_dag_item("
		$dag_cuda = "__global__ void ethash_calculate_dag_item("
		$search = "__kernel void progpow_search(__global"
		$search_cuda = "__global__ void progpow_search("
		$search_eth = "__kernel void ethash_search("
		$loop = "progPowLoop(const uint32_t loop"
		$keccak = "void keccak_f800_round(uint32_t"
	condition:
		2 of them
}

rule GPU_Kernel_CryptoNight
{
	meta:
		family = "CryptoNight"
		algorithm = "CryptoNight"
		where = "any"
		severity = "MEDIUM"
		reference = "xmrig src/backend/opencl/cl/cn/cryptonight.cl; xmr-stak amd_gpu/opencl"
		description = "Kernel source of CryptoNight for graphics cards in memory."
	strings:
		$cn0 = "__kernel void cn0(__global ulong"
		$cn1 = "__kernel void cn1(__global ulong"
		$cn2 = "__kernel void cn2(__global uint4"
		$blake = "__kernel void Blake(__global ulong"
		$groestl = "__kernel void Groestl(__global ulong"
		$jh = "__kernel void JH(__global ulong"
		$skein = "__kernel void Skein(__global ulong"
	condition:
		3 of them
}

rule GPU_Kernel_RandomX
{
	meta:
		family = "RandomX"
		algorithm = "RandomX"
		where = "any"
		severity = "MEDIUM"
		reference = "xmrig src/backend/opencl/cl/rx"
		description = "Kernel source of RandomX for graphics cards in memory."
	strings:
		$init = "__kernel void init_vm(__global const void"
		$execute = "__kernel void execute_vm(__global void"
		$find = "__kernel void find_shares(__global const"
		$hash = "__kernel void hashAes1Rx4(__global const void"
		$jit = "__kernel void randomx_jit(__global ulong"
		$registers = "__kernel void blake2b_hash_registers_name(__global"
	condition:
		3 of them
}
