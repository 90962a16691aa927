#!/usr/bin/env python3
"""One system call or one allocation of a scan fails: it does not crash, and
what holds a payload is never called clean.

FAULTS=all tries each; otherwise some of each kind, always the same."""
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import unittest

import support
from support import (AS_ROOT, BUILD, CLEAN, DAVYLAMP, FINDINGS, INCOMPLETE,
                     UNABLE, USAGE, Case)
from test_hostile import HOSTILE, MINER, RULE

ALL = os.environ.get("FAULTS") == "all"
FAILING = BUILD / "tests" / "failing"
# It can not fail (close(2) never leaves a descriptor open), or it does not
# return, or is strace's own to watch.
NEVER = {"close", "exit", "exit_group", "rt_sigreturn", "execve", "brk",
         "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "restart_syscall"}


class Faults(Case):
    def setUp(self):
        super().setUp()
        p = self.p.start(HOSTILE, "undumpable", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        self.pid = p.pid
        self.ends = collections.Counter()

    def words(self, program=DAVYLAMP):
        return [program, "scan", "--json", "--pid", str(self.pid)]

    def run_one(self, command, about, **more):
        """What is wrong with how it ended, or None."""
        try:
            done = subprocess.run(list(map(str, command)), timeout=60,
                                  stdin=subprocess.DEVNULL,
                                  capture_output=True, **more)
        except subprocess.TimeoutExpired:
            return f"{about}: hangs"
        self.ends[done.returncode] += 1
        said = done.stderr.decode(errors="replace")
        if done.returncode not in (FINDINGS, USAGE, INCOMPLETE, UNABLE):
            return f"{about}: status {done.returncode} {said[-300:]}"
        try:
            lines = [json.loads(x) for x in done.stdout.splitlines()]
        except ValueError:
            if done.returncode == UNABLE:  # it could not be said whole
                return None
            return f"{about}: no JSON: {done.stdout[-200:]!r}"
        found = RULE in json.dumps(lines)
        if done.returncode == FINDINGS and not found:
            return f"{about}: a finding, but which?"
        if done.returncode != FINDINGS and not said and not any(
                "summary" in x for x in lines):
            return f"{about}: ends with {done.returncode} and no word"
        return None

    def run_all(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [x for x in pool.map(lambda j: self.run_one(*j[:2],
                                                                **j[2]), jobs)
                     if x]
        print(f"hint: {self.id().rsplit('.', 1)[1]}: {len(jobs)} faults, "
              f"ended {dict(sorted(self.ends.items()))}")
        self.assertEqual(wrong, [], "\n".join(wrong[:20]))
        self.assertGreater(self.ends[FINDINGS], 0)

    def calls(self, log):
        """For each call: how many are the dynamic linker's, which are not
        ours to survive, and how many there are in all."""
        n = collections.defaultdict(collections.Counter)
        before, ours = {}, False
        for line in log.read_text(errors="replace").splitlines():
            m = re.match(r"(\d+) +(\w+)\(", line)
            if not ours and "PR_SET_NO_NEW_PRIVS" in line:
                ours = True
                before = {k: sum(v.values()) for k, v in n.items()}
            if m and m[2] not in NEVER:
                n[m[2]][m[1]] += 1
        return {k: (before.get(k, 0), max(v.values()))
                for k, v in n.items() if max(v.values()) > before.get(k, 0)}

    @unittest.skipUnless(AS_ROOT, "needs root")
    def test_system_calls(self):
        if not support.have("strace"):
            self.skipTest("no strace")
        log = self.dir / "log"
        subprocess.run(["strace", "-f", "-qq", "-o", log, *self.words()],
                       capture_output=True, timeout=60)
        calls = self.calls(log) if log.exists() else {}
        if not calls:
            self.skipTest("strace may not trace here")
        jobs = []
        for name, (b, n) in sorted(calls.items()):
            tried = range(b + 1, n + 1)
            if not ALL:
                tried = sorted({b + 1, b + 2, b + 3, b + (n - b) // 3,
                                b + (n - b) // 2, n - 1, n} & set(tried))
            for i, nth in enumerate(tried):
                error = ("EIO", "ENOMEM", "EPERM", "EINTR")[i % 4]
                jobs.append((["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                              f"inject={name}:error={error}:when={nth}",
                              *self.words()], f"{name} {nth} {error}", {}))
        self.run_all(jobs)

    def test_allocations(self):
        if not FAILING.exists():
            self.skipTest("not built with a sanitizer")
        programs = self.dir / "programs"
        programs.mkdir()
        shutil.copy(FAILING, programs / "davylamp")
        shutil.copy(BUILD / "davylamp-match", programs)
        words = self.words(programs / "davylamp")
        count = self.dir / "count"
        subprocess.run(words, env=dict(os.environ, COUNT_ALLOCATIONS=count),
                       capture_output=True, timeout=60)
        n = count.stat().st_size
        self.assertGreater(n, 100)
        step = 1 if ALL else 7
        self.run_all([(words, f"allocation {i}",
                       {"env": dict(os.environ, FAIL_ALLOCATION=str(i))})
                      for i in range(1, n + 10, step)])


if __name__ == "__main__":
    support.main()
