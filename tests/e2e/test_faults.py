#!/usr/bin/env python3
"""One system call or one allocation of a scan, of its matcher or of the
reporter fails: it does not crash, what holds a payload is never called clean,
and no event is lost.  (A matcher may crash: it is replaced.)

FAULTS=all tries each; otherwise some of each kind, always the same."""
import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import unittest

import support
from support import (AS_ROOT, BUILD, CLEAN, DAVYLAMP, FINDINGS, INCOMPLETE,
                     UNABLE, USAGE, Case)
from test_hostile import HOSTILE, MINER, RULE
from test_report import finding

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

    def count(self, command, **env):
        """Which allocations of the program that counts to let fail: the first
        and the last of each way that leads to one."""
        count = self.dir / "count"
        subprocess.run(list(map(str, command)), capture_output=True,
                       timeout=60, env=dict(os.environ, **env))
        ways = list(struct.iter_unpack("<Qqq", count.read_bytes()))
        tried = sorted({i for way in ways for i in way[1:] if i})
        self.assertGreater(len(tried), 50)
        return tried if ALL else tried[::len(tried) // 60 + 1]

    def failing(self, *names):
        """A folder of our programs, those of @names the failing ones."""
        if not FAILING.exists():
            self.skipTest("not built with a sanitizer")
        programs = self.dir / "programs"
        programs.mkdir()
        for name in "davylamp", "davylamp-match", "davylamp-report":
            shutil.copy((FAILING if name in names else BUILD) / name,
                        programs / name)
        return programs

    def test_allocations(self):
        words = self.words(self.failing("davylamp") / "davylamp")
        tried = self.count(words, COUNT_ALLOCATIONS=str(self.dir / "count"))
        self.run_all([(words, f"allocation {i}",
                       {"env": dict(os.environ, FAIL_ALLOCATION=str(i))})
                      for i in tried])

    def matcher_that(self, programs, name, variable):
        """A folder whose matcher is started with @variable: davylamp gives
        it no environment."""
        folder = self.dir / name
        folder.mkdir()
        os.link(programs / "davylamp", folder / "davylamp")
        script = folder / "davylamp-match"
        script.write_text(f"#!/bin/sh\n{variable} exec "
                          f"{programs}/davylamp-match\n")
        script.chmod(0o755)
        return self.words(folder / "davylamp")

    def test_allocations_of_the_matcher(self):
        programs = self.failing("davylamp-match")
        tried = self.count(self.matcher_that(
            programs, "counting", f"COUNT_ALLOCATIONS={self.dir}/count"))
        self.run_all([(self.matcher_that(programs, str(i),
                                         f"FAIL_ALLOCATION={i}"),
                       f"the matcher's allocation {i}", {}) for i in tried])
        self.assertEqual(self.ends[USAGE], 0)  # the rules are not at fault

    def reporter(self, name):
        """A spool with one event, and the configuration that names it."""
        folder = self.dir / name
        (folder / "spool").mkdir(parents=True)
        event = {"event": "open", "id": "ab" * 16, "severity": "HIGH",
                 "finding": finding(1)}
        (folder / "spool" / f"2-{1:016x}-{'ab' * 16}-{1:08x}.0.json"
         ).write_text(json.dumps(event))
        conf = folder / "conf"
        conf.write_text(f"[spool]\npath = {folder}/spool\n[findings]\n"
                        f"file = {folder}/out.jsonl\njournal = no\n"
                        f"state = {folder}\n")
        conf.chmod(0o600)
        return folder

    def report_one(self, program, i, whole):
        folder = self.reporter(str(i))
        done = subprocess.run([program, "--config", folder / "conf"],
                              capture_output=True, timeout=60,
                              env=dict(os.environ, FAIL_ALLOCATION=str(i)))
        self.ends[done.returncode] += 1
        said = done.stderr.decode(errors="replace")
        out = folder / "out.jsonl"
        # json_tokener_parse_ex() of json-c 0.16 gives a key that it had no
        # memory for to json_object_object_add_ex(), which follows it.  What
        # waited still does, and the service manager starts the reporter again.
        crashed = done.returncode == -signal.SIGSEGV
        if done.returncode not in (0, 2, 3, 4) and not crashed:
            return f"allocation {i}: status {done.returncode} {said[-300:]}"
        if done.returncode and not said and not crashed:
            return f"allocation {i}: no word"
        told = out.read_text() if out.exists() else ""
        if not list((folder / "spool").glob("*.json")):
            if told != whole:
                return f"allocation {i}: the event is not whole: {told!r}"
        elif done.returncode == 0:
            return f"allocation {i}: 0, but the event waits"
        return None

    def test_allocations_of_the_reporter(self):
        program = self.failing("davylamp-report") / "davylamp-report"
        folder = self.reporter("counting")
        tried = self.count([program, "--config", folder / "conf"],
                           COUNT_ALLOCATIONS=str(self.dir / "count"))
        whole = (folder / "out.jsonl").read_text()
        self.assertIn("(kworker) runs XMRig", whole)
        wrong = [x for x in (self.report_one(program, i, whole)
                             for i in tried) if x]
        print(f"hint: reporter: {len(tried)} faults, {self.ends[-11]} of them "
              f"crash libjson-c, ended {dict(sorted(self.ends.items()))}")
        self.assertEqual(wrong, [], "\n".join(wrong[:20]))
        self.assertGreater(self.ends[0], 0)


if __name__ == "__main__":
    support.main()
