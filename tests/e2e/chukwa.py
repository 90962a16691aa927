#!/usr/bin/python3
"""Real Chukwa by Debian's libargon2, one thread: Argon2id with 512 KiB and three
passes over a header of 76 bytes, whose first 16 are the salt."""
import ctypes

argon2 = ctypes.CDLL("libargon2.so.1").argon2id_hash_raw
argon2.argtypes = [ctypes.c_uint32] * 3 + [
    ctypes.c_char_p, ctypes.c_size_t] * 3
header, tag = ctypes.create_string_buffer(76), ctypes.create_string_buffer(32)
nonce = 0
while True:
    header[39:43] = nonce.to_bytes(4, "little")
    if argon2(3, 512, 1, header, 76, header, 16, tag, 32):
        raise SystemExit("libargon2 failed")
    nonce += 1
    if nonce == 20:
        print("ready", tag.raw.hex(), flush=True)
