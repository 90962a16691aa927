#!/usr/bin/env python3
"""The programs of tests/pow: each proves itself on published vectors, works, and
is seen by the rules of its family.  Two builds of each; `make corpus` has all.

What the rules can not see stands in UNSEEN: a test that fails when it changes,
either way."""
import concurrent.futures
import ctypes
import os
import subprocess
import sys
import unittest

import support
from support import (BUILD, CLEAN, FINDINGS, ROOT, Processes, davylamp,
                     have)

sys.path.insert(0, str(ROOT / "tests" / "pow"))
import corpus  # noqa: E402

# No constant of their own and no coin's text, in these builds: seen in a session
# with a pool only.
UNSEEN = {"alephium", "cuckatoo"}
COMPILERS = ["gcc-O2", "clang-O3"] if have("clang") else ["gcc-O2", "gcc-O3"]


class Pow(unittest.TestCase):
    builds = []

    @classmethod
    def setUpClass(cls):
        """One compiles while another is looked at."""
        cls.folder = BUILD.resolve() / "pow"
        corpus.tables(cls.folder)
        pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.compiled = {b: pool.submit(corpus.compile_one, cls.folder, *b)
                        for b in cls.builds}


def add_test(program, build):
    Pow.builds.append((program, build))

    def test(self):
        path = self.compiled[program, build].result()
        for _ in range(3 if program in corpus.WORKING else 1):
            with Processes() as processes:
                families, severity, rules = corpus.look(processes, path, build)
            if families:
                break
        if program in UNSEEN:
            self.assertEqual(families, [], "seen now: take it from UNSEEN")
            with Processes() as processes:
                families, severity, rules = corpus.look(processes, path, build,
                                                        session=True)
        self.assertIn(corpus.PROGRAMS[program], families, str(rules))
        self.assertIn(severity, ("LOW", "MEDIUM", "HIGH"))
    name = build.replace("-", "_")
    setattr(Pow, f"test_{program}_{name}", test)


# A function more, which moves all that is behind it.
ADDED = """#include <stdio.h>
__attribute__((used)) int added(int n, const char *s)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum = sum * 31 + (s[i] ^ n);
	return printf("%d\\n", sum);
}
"""


class Versions(support.Case):
    """A set knows a version that it was not made of, and no other program."""

    def setUp(self):
        super().setUp()
        corpus.tables(self.dir)
        added = self.dir / "added.c"
        added.write_text(ADDED)
        source = ROOT / "tests" / "pow"
        main, x16r = source / "main.c", source / "x16r.c"
        self.old = self.build("old", main, x16r)
        self.new = self.build("new", added, x16r, main)
        self.set = self.dir / "old.set"
        self.status(davylamp("hash", "build", "-o", self.set, "--family",
                             "Known", "--version", "1", self.old), CLEAN)

    def build(self, name, *sources):
        out = self.dir / name
        subprocess.run(["gcc", "-O2", "-w", "-I", self.dir, "-o", out,
                        *sources], check=True)
        return out

    def known(self, pid):
        """The finding, and what it says of the set's binary."""
        f = support.scan(pid, args=["--hashes", self.set]).of(pid)
        signatures = f["indicator"]["signatures"] if f else []
        return f, [d for s in signatures if "memoryHashSignature" in s
                   for d in s["memoryHashSignature"]["detections"]]

    def test_another_version_is_known(self):
        p, pid = self.p.offline(self.new, seconds=300, stdout=subprocess.PIPE)
        self.p.ready(p, seconds=240)
        f, detections = self.known(pid)
        self.assertEqual([d["binary"] for d in detections], ["old"], f)
        self.assertLess(detections[0]["percentPagesMatched"], 0.3)
        self.assertEqual(f["category"], "Execution: Cryptocurrency Mining "
                                        "Combined Detection")
        self.assertIn("of the code of a known Known binary, in another build",
                      f["description"])
        code = f["sourceProperties"]["codeFragments"]
        self.assertEqual([(c["binary"], c["version"]) for c in code],
                         [("old", "1")])
        self.assertGreater(code[0]["seen"], 0.6 * code[0]["known"])
        query = davylamp("hash", "query", "--hashes", self.set, pid)
        self.status(query, FINDINGS)
        self.assertRegex(query.out, r"\d % of \d+ fragments")

    def test_other_programs_are_not(self):
        other = self.build("other", *[ROOT / "tests" / "pow" / f"{x}.c"
                                      for x in ("main", "verushash")])
        p, pid = self.p.offline(other, seconds=300, stdout=subprocess.PIPE)
        self.p.ready(p, seconds=240)
        for i in (pid, os.getpid()):
            self.assertEqual(self.known(i)[1], [])

    def test_the_shipped_set_knows_itself(self):
        """Its fragments are there: a list without them would go unnoticed."""
        done = davylamp("hash", "info")
        self.status(done, CLEAN)
        self.assertGreater(int(done.out.split(" fragments")[0].split()[-1]),
                           1000)


def test_chukwa_by_the_reference(self):
    """Whose parameters, and what is made of them, lie on its stack."""
    try:
        ctypes.CDLL("libargon2.so.1")
    except OSError as e:
        self.skipTest(str(e))
    with Processes() as processes:
        p, pid = processes.offline("/usr/bin/python3",
                                   ROOT / "tests/e2e/chukwa.py",
                                   stdout=subprocess.PIPE)
        processes.ready(p)
        wanted = {"Argon2_Coin_Addresses", "Argon2_Coin_Parameters"}
        for _ in range(10):  # one of them can be overwritten for a moment
            result = support.scan(pid)
            if set(result.rules_of(pid) or []) == wanted:
                break
        self.assertEqual(set(result.rules_of(pid) or []), wanted, str(result))


Pow.test_chukwa_by_the_reference = test_chukwa_by_the_reference


def test_cuckatoo_vectorized(self):
    """gcc keeps the shuffle's constant, clang has two instructions; laid out,
    so that any machine does."""
    for build in "gcc-O3-avx2", "clang-O3-avx2":
        if build.startswith("clang") and not have("clang"):
            continue
        with self.subTest(build), Processes() as processes:
            path = corpus.compile_one(self.folder, "cuckatoo", build)
            families, _, rules = corpus.look(processes, path, build, True)
            self.assertIn(corpus.PROGRAMS["cuckatoo"], families, str(rules))


Pow.test_cuckatoo_vectorized = test_cuckatoo_vectorized

for _i, _program in enumerate(corpus.PROGRAMS):
    add_test(_program, COMPILERS[_i % 2])
for _program in "cryptonight", "neoscrypt", "x16r":
    add_test(_program, "gcc-O2-packed")

if __name__ == "__main__":
    support.main()
