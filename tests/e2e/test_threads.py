#!/usr/bin/env python3
"""A scan by several threads says what one thread says.  Under ThreadSanitizer
(make SAN=thread) a race is a status that no scan has."""
import os
import subprocess
import unittest

from support import DAVYLAMP, FINDINGS, MINER, PLANT, Case, davylamp, main, scan

GUILTY, INNOCENT = 6, 12


class Threads(Case):
    def setUp(self):
        super().setUp()
        self.guilty = [self.p.plant("file-r-x", MINER) for _ in
                       range(GUILTY)]
        self.innocent = [self.p.plant("anon-rw-", os.urandom(1 << 20)) for _ in
                         range(INNOCENT)]
        self.pids = [p.pid for p in self.innocent + self.guilty]

    def look(self, threads, *more):
        result = scan(*self.pids, args=["--threads", str(threads), *more])
        self.status(result, FINDINGS)
        return {f: result.rules_of(f) for f in self.pids if result.of(f)}

    def test_all_that_one_thread_finds(self):
        one = self.look(1)
        self.assertEqual(sorted(one), sorted(p.pid for p in self.guilty))
        for n in 2, 8, 64:
            self.assertEqual(self.look(n), one)

    def test_processes_that_end_meanwhile(self):
        """Whoever lives is looked at, whatever the others do."""
        words = [x for p in self.pids for x in ("--pid", str(p))]
        p = subprocess.Popen([DAVYLAMP, "scan", "--json", "--threads", "4",
                              *words], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        for victim in self.innocent:
            self.p.stop(victim)
        out = p.communicate(timeout=120)[0].decode()
        self.assertEqual(p.returncode, FINDINGS, out)
        for guilty in self.guilty:
            self.assertIn(f'"pid":"{guilty.pid}"', out)

    def test_exclusions_are_counted_once_each(self):
        conf = self.dir / "conf"
        digest = subprocess.run(["sha256sum", PLANT], check=True,
                                capture_output=True).stdout.decode()[:64]
        conf.write_text(f"[exclude planted]\nreason = a test\n"
                        f"until = 2099-01-01\nexe = {PLANT}\n"
                        f"sha256 = {digest}\n")
        words = [x for p in self.pids for x in ("--pid", p)]
        result = davylamp("scan", "--json", "--threads", 4, "--config", conf,
                          *words)
        self.assertEqual(result.findings, [], str(result))
        covered = result.summary["exclusions"]
        self.assertEqual([x["processes"] for x in covered],
                         [GUILTY + INNOCENT], str(result))


if __name__ == "__main__":
    main()
