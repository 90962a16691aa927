/* zoo.h - the sixteen hashes of X16R in its order, all of 512 bits, each proved
 * on the digest of nothing (NIST's SHA-3 known-answer tests). */
#ifndef ZOO_H
#define ZOO_H

#include "blake.h"
#include "bmw.h"
#include "cubehash.h"
#include "echo.h"
#include "fugue.h"
#include "groestl.h"
#include "hamsi.h"
#include "jh.h"
#include "keccak.h"
#include "luffa.h"
#include "sha512.h"
#include "shabal.h"
#include "shavite.h"
#include "simd.h"
#include "skein.h"
#include "whirlpool.h"

enum zoo_hash {
	ZOO_BLAKE,
	ZOO_BMW,
	ZOO_GROESTL,
	ZOO_JH,
	ZOO_KECCAK,
	ZOO_SKEIN,
	ZOO_LUFFA,
	ZOO_CUBEHASH,
	ZOO_SHAVITE,
	ZOO_SIMD,
	ZOO_ECHO,
	ZOO_HAMSI,
	ZOO_FUGUE,
	ZOO_SHABAL,
	ZOO_WHIRLPOOL,
	ZOO_SHA512,
	ZOO_COUNT
};

static inline void zoo(enum zoo_hash which, const void *data, size_t len,
		       uint8_t out[64])
{
	switch (which) {
	case ZOO_BLAKE:
		return blake512(data, len, out);
	case ZOO_BMW:
		return bmw512(data, len, out);
	case ZOO_GROESTL:
		return groestl(data, len, out, 512);
	case ZOO_JH:
		return jh(data, len, out, 512);
	case ZOO_KECCAK:
		return keccak(data, len, out, 64);
	case ZOO_SKEIN:
		return skein(data, len, out, 512);
	case ZOO_LUFFA:
		return luffa512(data, len, out);
	case ZOO_CUBEHASH:
		return cubehash(data, len, out, 512);
	case ZOO_SHAVITE:
		return shavite512(data, len, out);
	case ZOO_SIMD:
		return simd512(data, len, out);
	case ZOO_ECHO:
		return echo512(data, len, out);
	case ZOO_HAMSI:
		return hamsi512(data, len, out);
	case ZOO_FUGUE:
		return fugue512(data, len, out);
	case ZOO_SHABAL:
		return shabal512(data, len, out);
	case ZOO_WHIRLPOOL:
		return whirlpool(data, len, out);
	case ZOO_SHA512:
		return sha512(data, len, out);
	case ZOO_COUNT:;
	}
}

static const struct {
	const char *name, *empty;
} zoo_known[ZOO_COUNT] = {
	{ "BLAKE-512",
	  "a8cfbbd73726062df0c6864dda65defe58ef0cc52a5625090fa17601e1eecd1b"
	  "628e94f396ae402a00acc9eab77b4d4c2e852aaaa25a636d80af3fc7913ef5b8" },
	{ "BMW-512",
	  "6a725655c42bc8a2a20549dd5a233a6a2beb01616975851fd122504e604b46af"
	  "7d96697d0b6333db1d1709d6df328d2a6c786551b0cce2255e8c7332b4819c0e" },
	{ "Groestl-512",
	  "6d3ad29d279110eef3adbd66de2a0345a77baede1557f5d099fce0c03d6dc2ba"
	  "8e6d4a6633dfbd66053c20faa87d1a11f39a7fbe4a6c2f009801370308fc4ad8" },
	{ "JH-512",
	  "90ecf2f76f9d2c8017d979ad5ab96b87d58fc8fc4b83060f3f900774faa2c8fa"
	  "be69c5f4ff1ec2b61d6b316941cedee117fb04b1f4c5bc1b919ae841c50eec4f" },
	{ "Keccak-512",
	  "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
	  "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e" },
	{ "Skein-512-512",
	  "bc5b4c50925519c290cc634277ae3d6257212395cba733bbad37a4af0fa06af4"
	  "1fca7903d06564fea7a2d3730dbdb80c1f85562dfcc070334ea4d1d9e72cba7a" },
	{ "Luffa-512",
	  "6e7de4501189b3ca58f3ac114916654bbcd4922024b4cc1cd764acfe8ab4b780"
	  "5df133eab345ffdb1c414564c924f48e0a301824e2ac4c34bd4efde2e43da90e" },
	{ "CubeHash16/32-512",
	  "4a1d00bbcfcb5a9562fb981e7f7db3350fe2658639d948b9d57452c22328bb32"
	  "f468b072208450bad5ee178271408be0b16e5633ac8a1e3cf9864cfbfc8e043a" },
	{ "SHAvite-3-512",
	  "a485c1b2578459d1efc5dddd840bb0b4a650ac82fe68f58c4442ccda747da006"
	  "b2d1dc6b4a4eb7d84ff91e1f466fef429d259acd995dddcad16fa545c7a6e5ba" },
	{ "SIMD-512",
	  "51a5af7e243cd9a5989f7792c880c4c3168c3d60c4518725fe5757d1f7a69c63"
	  "66977eaba7905ce2da5d7cfd07773725f0935b55f3efb954996689a49b6d29e0" },
	{ "ECHO-512",
	  "158f58cc79d300a9aa292515049275d051a28ab931726d0ec44bdd9faef4a702"
	  "c36db9e7922fff077402236465833c5cc76af4efc352b4b44c7fa15aa0ef234e" },
	{ "Hamsi-512",
	  "5cd7436a91e27fc809d7015c3407540633dab391127113ce6ba360f0c1e35f40"
	  "4510834a551610d6e871e75651ea381a8ba628af1dcf2b2be13af2eb6247290f" },
	{ "Fugue-512",
	  "3124f0cbb5a1c2fb3ce747ada63ed2ab3bcd74795cef2b0e805d5319fcc360b4"
	  "617b6a7eb631d66f6d106ed0724b56fa8c1110f9b8df1c6898e7ca3c2dfccf79" },
	{ "Shabal-512",
	  "fc2d5dff5d70b7f6b1f8c2fcc8c1f9fe9934e54257eded0cf2b539a2ef0a19cc"
	  "ffa84f8d9fa135e4bd3c09f590f3a927ebd603ac29eb729e6f2a9af031ad8dc6" },
	{ "Whirlpool",
	  "19fa61d75522a4669b44e39c1d2e1726c530232130d407f89afee0964997f7a7"
	  "3e83be698b288febcf88e3e03c4f0757ea8964e59b63d93708b138cc42a66eb3" },
	{ "SHA-512",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
};

static inline void zoo_check(void)
{
	uint8_t out[64];

	for (int i = 0; i < ZOO_COUNT; i++) {
		zoo((enum zoo_hash)i, "", 0, out);
		pow_expect(zoo_known[i].name, out, 64, zoo_known[i].empty);
	}
}

#endif
