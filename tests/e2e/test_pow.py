#!/usr/bin/env python3
"""The programs of tests/pow: each proves itself on published vectors, works, and
is seen by the rules of its family.  Two builds of each; `make corpus` has all.

What the rules can not see stands in UNSEEN: a test that fails when it changes,
either way."""
import ctypes
import subprocess
import sys
import unittest

import support
from support import BUILD, ROOT, Processes, have

sys.path.insert(0, str(ROOT / "tests" / "pow"))
import corpus  # noqa: E402

# No constant of their own and no coin's text, in these builds.
UNSEEN = {"alephium", "cuckatoo"}
COMPILERS = ["gcc-O2", "clang-O3"] if have("clang") else ["gcc-O2", "gcc-O3"]


class Pow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = BUILD.resolve() / "pow"
        corpus.tables(cls.folder)


def add_test(program, build):
    def test(self):
        path = corpus.compile_one(self.folder, program, build)
        for _ in range(3 if program in corpus.WORKING else 1):
            with Processes() as processes:
                families, severity, rules = corpus.look(processes, path, build)
            if families:
                break
        if program in UNSEEN:
            self.assertEqual(families, [], "seen now: take it from UNSEEN")
            return
        self.assertIn(corpus.PROGRAMS[program], families, str(rules))
        self.assertIn(severity, ("LOW", "MEDIUM", "HIGH"))
    name = build.replace("-", "_")
    setattr(Pow, f"test_{program}_{name}", test)


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
