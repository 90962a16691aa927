#!/usr/bin/env python3
"""Builds the programs of tests/pow in many ways, runs each offline and asks
davylamp which families it sees.

    corpus.py [--builds WORD,...] [--programs WORD,...] [--map] [--json FILE]
    corpus.py --manifest FILE [--builds ...]      for `davylamp rules test`

The default is every program in every build.  Prints a matrix, one line a build;
a program that does not find itself right on its test vectors is an error.
--map lays the programs out in memory without running them, which is quick, but
shows no working memory; so are builds for aarch64, but for those that are known
by nothing else (WORKING).

Where a program's own code and data tell nothing and its family is known by what a
miner says to its pool, it is run again with a session (SESSIONS)."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import support  # noqa: E402

# Each program and the family whose rules must see it.
PROGRAMS = {
    "sha256d": "SHA256d",
    "scrypt": "scrypt",
    "cryptonight": "CryptoNight",
    "x11": "X11/X16R",
    "x16r": "X11/X16R",
    "ethash": "Ethash",
    "kawpow": "KawPow",
    "equihash": "Equihash",
    "yespower": "yespower",
    "verushash": "VerusHash",
    "kheavyhash": "kHeavyHash",
    "lyra2rev2": "Lyra2",
    "lyra2rev3": "Lyra2",
    "neoscrypt": "NeoScrypt",
    "chukwa": "Argon2-chukwa",
    "sia": "Blake2b-Sia",
    "alephium": "BLAKE3-Alephium",
    "cuckatoo": "Cuckoo Cycle",
}

# NAME: compiler, its words, what is done with the program.
BUILDS = {
    f"{cc}{level}": (cc, [level], "")
    for cc in ("gcc", "clang") for level in ("-O1", "-O2", "-O3", "-Os")
}
BUILDS |= {
    "gcc-O3-avx2": ("gcc", ["-O3", "-mavx2"], ""),
    "clang-O3-avx2": ("clang", ["-O3", "-mavx2"], ""),
    "gcc-O2-lto": ("gcc", ["-O2", "-flto"], ""),
    "clang-O2-unroll": ("clang", ["-O2", "-funroll-loops"], ""),
    "gcc-O2-static": ("gcc", ["-O2", "-static", "-s"], ""),
    "gcc-O2-renamed": ("gcc", ["-O2", "-s"], "renamed"),
    "gcc-O2-packed": ("gcc", ["-O2", "-static", "-no-pie", "-s"], "packed"),
    "clang-O3-packed": ("clang", ["-O3", "-static", "-no-pie", "-s"],
                        "packed"),
}
BUILDS |= {
    f"aarch64-gcc{level}": ("aarch64-linux-gnu-gcc", [level, "-mcpu=cortex-a72"],
                            "mapped")
    for level in ("-O1", "-O2", "-O3", "-Os")
}
BUILDS |= {
    f"aarch64-clang{level}": ("clang", ["--target=aarch64-linux-gnu", level],
                              "mapped")
    for level in ("-O2", "-O3")
}

# Known by working memory, which a program that is only laid out has not: these
# are always run, builds for another architecture under an emulator.
WORKING = {"chukwa"}

# What a pool answers to those that are known by their sessions, and its first job,
# in the words of alephium/mining-pool (lib/stratum.js), Grin (doc/stratum.md) and
# ZIP 301.
SESSIONS = {
    "alephium": b"""\
{"id":1,"jsonrpc":"2.0","result":true,"error":null}
{"id":null,"jsonrpc":"2.0","method":"mining.notify","params":[{"jobId":"1f2",\
"fromGroup":0,"toGroup":1,"headerBlob":"0007f3a19c","txsBlob":"","targetBlob":"f0"}]}
""",
    "cuckatoo": b"""\
{"id":"0","jsonrpc":"2.0","method":"login","result":"ok","error":null}
{"id":"Stratum","jsonrpc":"2.0","method":"job","params":{"difficulty":1,\
"height":2031616,"job_id":5,"pre_pow":"000500000000001f00003ff723bc8c98"}}
""",
    "equihash": b"""\
{"id":1,"result":[null,"27fff23b"],"error":null}
{"id":null,"method":"mining.notify","params":["1f2","04000000","e236f616fab4ddcd\
3cd4453783a7e7f8ff10b8c8fd7bca8a22d6909b00000000","6de853a7b016e0b8fab8d323b28042\
4da311aeda849db7ce6ef7d4f4ae7180c9","1237a2ba8cbb0f3d3ee3c47a20d65c7dcc7a3af42ec7\
97fd3c377a1ef15abf67","74cad75c","0205021d",true]}
""",
}


def tool(name):
    return support.BUILD / "tests" / name


def tables(folder):
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "tables.h"
    made.write_bytes(subprocess.run(
        ["/usr/bin/python3", HERE / "tables.py"], check=True,
        stdout=subprocess.PIPE).stdout)


def compile_one(folder, program, build):
    """Returns the path of the program."""
    cc, words, after = BUILDS[build]
    out = folder / build / program
    own = [*HERE.glob("*.h"), HERE / "main.c", HERE / f"{program}.c"]
    newest = max(f.stat().st_mtime for f in own)
    if out.exists() and out.stat().st_mtime > newest:
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    if after == "mapped":
        tree = support.BUILD / "sysroot-aarch64"
        words = [*words, f"--sysroot={tree}"]
        if cc == "clang":
            words.append("-fuse-ld=/usr/bin/aarch64-linux-gnu-ld")
    done = subprocess.run(
        [cc, *words, "-w", "-I", folder, "-o", out, HERE / "main.c",
         HERE / f"{program}.c"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{build} {program}: {done.stderr}")
    if after == "packed":
        data = out.read_bytes()
        out.write_bytes(tool("packed").read_bytes() +
                        bytes(b ^ 0x5a for b in data) +
                        len(data).to_bytes(8, "little"))
    return out


def command(path, build, laid_out=False, runs=False):
    """How the program is run, or laid out in memory where it can not run."""
    after = BUILDS[build][2]
    runs |= path.name in WORKING
    emulator = shutil.which("qemu-aarch64-static")
    if after == "mapped" and runs and emulator:
        return [emulator, "-L", support.BUILD / "sysroot-aarch64", path]
    if after == "mapped" or laid_out and not runs and after != "packed":
        return [tool("mapelf"), path]
    if after == "renamed":
        return ["bash", "-c", 'exec -a "[kworker/u4:2]" "$0"', path]
    return [path]


def look(processes, path, build, laid_out=False, session=False):
    """(families, severity, rules) seen in the running program."""
    words = command(path, build, laid_out, runs=session)
    pool, miner = socket.socketpair()
    if session:
        pool.sendall(SESSIONS[path.name])
    p, pid = processes.offline(*words, seconds=300, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               stdin=miner if session else subprocess.DEVNULL)
    try:
        processes.ready(p, seconds=240)
        time.sleep(0.3)
        result = support.scan(pid)
        f = result.of(pid)
        if not f:
            return [], "", []
        rules = f["sourceProperties"]["rules"]
        return (sorted({r["family"] for r in rules}), f["severity"],
                sorted({r["rule"] for r in rules}))
    finally:
        processes.stop(p)
        pool.close()
        miner.close()


def compile_all(pool, builds, programs, folder, say):
    """Yields each build that can be made here, and its programs' paths."""
    tables(folder)
    for build in builds:
        if BUILDS[build][2] == "mapped" and not (
                support.BUILD / "sysroot-aarch64").exists():
            say(f"{build}: no sysroot-aarch64 (packaging/sysroot aarch64)")
            continue
        yield build, dict(zip(programs, pool.map(
            lambda p: compile_one(folder, p, build), programs)))


def run(builds, programs, folder, laid_out=False, say=print):
    """{(build, program): (families, severity, rules)} of what was looked at, and
    which of them were in a session with a pool."""
    seen, talked = {}, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for build, paths in compile_all(pool, builds, programs, folder, say):
            with support.Processes() as processes:
                for program in programs:
                    found = look(processes, paths[program], build, laid_out)
                    if program in SESSIONS and not found[0]:
                        found = look(processes, paths[program], build,
                                     session=True)
                        talked.add((build, program))
                    seen[build, program] = found
            missed = [p for p in programs
                      if PROGRAMS[p] not in seen[build, p][0]]
            said = [p for p in programs
                    if (build, p) in talked and p not in missed]
            say(f"{build:18} {len(programs) - len(missed)} of {len(programs)}"
                + (f", by a session with a pool: {' '.join(said)}" if said
                   else "")
                + (f", not {' '.join(missed)}" if missed else ""))
    return seen, talked


def case(name, family, variant, words):
    return (f'[[case]]\nname = "{name}"\nkind = "miner"\n'
            f'family = "{family}"\nvariant = "{variant}"\n'
            'ready = "ready"\nseconds = 300\n'
            f"command = {json.dumps([str(x) for x in words])}\n")


def packaged():
    """Cases of Debian's and npm's libraries, as far as the tests made them."""
    driver, scripts = tool("randomx_driver"), ROOT / "tests" / "e2e"
    for mode in ("jit", "secure", "interpreter") if driver.exists() else ():
        yield case(f"librandomx {mode}", "RandomX", "packaged", [driver, mode])
    yield case("libargon2 chukwa", "Argon2-chukwa", "packaged",
               ["/usr/bin/python3", scripts / "chukwa.py"])
    for module, script, family in (
            ("ethash", "ethash.cjs", "Ethash"),
            ("wasm-x11-hash", "x11.cjs", "X11/X16R")):
        modules = support.CACHE / module / "node_modules"
        if modules.exists():
            yield case(f"npm {module}", family, "packaged",
                       ["node", scripts / script, modules])


def manifest(builds, programs, folder, laid_out, say):
    """The same programs as cases of `davylamp rules test`, TOML."""
    text = list(packaged())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for build, paths in compile_all(pool, builds, programs, folder, say):
            text += [case(f"{p} {build}", PROGRAMS[p], build,
                          command(paths[p], build, laid_out))
                     for p in programs]
    return "\n".join(text)


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--builds", default=",".join(BUILDS))
    words.add_argument("--programs", default=",".join(PROGRAMS))
    words.add_argument("--map", action="store_true")
    words.add_argument("--json")
    words.add_argument("--manifest")
    words.add_argument("--verbose", action="store_true")
    w = words.parse_args()
    builds = [b for b in BUILDS if any(
        b == x or x.endswith("*") and b.startswith(x[:-1])
        for x in w.builds.split(","))]
    programs = [p for p in PROGRAMS if p in w.programs.split(",")]
    folder = support.BUILD.resolve() / "pow"
    def say(text):
        print(text, flush=True)
    if w.manifest:
        pathlib.Path(w.manifest).write_text(
            manifest(builds, programs, folder, w.map, say))
        return 0
    seen, talked = run(builds, programs, folder, w.map, say)
    if w.verbose:
        for (build, program), (families, severity, rules) in seen.items():
            print(f"{build:18} {program:12} {severity:6} {' '.join(rules)}")
    if w.json:
        pathlib.Path(w.json).write_text(json.dumps(
            [{"build": b, "program": p, "expected": PROGRAMS[p],
              "session": (b, p) in talked, "families": f, "severity": s,
              "rules": r}
             for (b, p), (f, s, r) in seen.items()], indent=1) + "\n")
    return any(PROGRAMS[p] not in f for (_, p), (f, _, _) in seen.items())


if __name__ == "__main__":
    sys.exit(main())
