#!/usr/bin/env python3
"""Keeps the innocent programs of innocents.toml busy, offline, and looks at them
again and again: every finding is a false alarm.

    innocents.py [--rounds N] [--at-once N] [--json FILE] [NAME...]

Prints a line for each program and the sum of all looks.  Exit status 1 if any
was found, or by more than its case accepts."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import support  # noqa: E402

LEVELS = ["", "LOW", "MEDIUM", "HIGH"]


def tree(pid):
    found = [pid]
    for p in found:
        found += [c for c in support.children(p) if c not in found]
    return found


class Case:
    def __init__(self, table):
        self.name, self.command = table["name"], table["command"]
        self.wait = table.get("wait", 2)
        self.accept = table.get("accept", "")
        self.looks = 0
        self.found = {}  # {(severity, rules): how often}
        self.carrier = False
        self.why = ""

    def start(self, folder):
        env = dict(os.environ, TMPDIR=str(folder), OMP_NUM_THREADS="1",
                   OPENBLAS_NUM_THREADS="1")
        self.p = subprocess.Popen(
            ["unshare", "-n", "nice", "timeout", "-s", "KILL", "3000",
             *self.command], cwd=HERE, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def pids(self):
        """What it runs now; not our own timeout, which has the same pid."""
        return [] if self.p.poll() is not None else tree(self.p.pid)[1:]

    def stop(self):
        for pid in [self.p.pid, *tree(self.p.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.p.wait()

    def is_right(self):
        worst = max((LEVELS.index(s) for s, _ in self.found), default=0)
        return worst <= LEVELS.index(self.accept)

    def line(self):
        said = "; ".join(f"{n} x {s} {rules}"
                         for (s, rules), n in self.found.items())
        return (f"{self.name:24} {self.looks:6} looks"
                + (f", {self.why}" if self.why else "")
                + (f": {said}" if said else "")
                + ("" if self.is_right() else "  FALSE ALARM"))


def look(batch):
    owner = {pid: c for c in batch for pid in c.pids()}
    for c in batch:
        if c.p.poll() is not None and not c.why:
            c.why = f"ended with status {c.p.returncode}"
    if not owner:
        return 0
    result = support.scan(*owner, timeout=300)
    if not result.summary:
        return 0
    for pid, c in owner.items():
        c.looks += 1
        f = result.of(pid)
        if f:
            key = (f["severity"], " ".join(sorted(result.rules_of(pid))) or
                   "pages")
            c.found[key] = c.found.get(key, 0) + 1
    return result.summary["partial"] + result.summary["vanished"]


def run(cases, rounds, at_once, say):
    incomplete = 0
    for i in range(0, len(cases), at_once):
        batch = cases[i:i + at_once]
        folder = pathlib.Path(tempfile.mkdtemp(prefix="davylamp-innocents."))
        folder.chmod(0o755)
        try:
            for c in batch:
                c.start(folder)
            time.sleep(max(c.wait for c in batch))
            for _ in range(rounds):
                incomplete += look(batch)
        finally:
            for c in batch:
                c.stop()
            shutil.rmtree(folder, ignore_errors=True)
        for c in batch:
            say(c.line())
    return incomplete


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--rounds", type=int, default=60)
    words.add_argument("--at-once", type=int, default=10)
    words.add_argument("--json")
    words.add_argument("names", nargs="*")
    w = words.parse_args()
    with open(HERE / "innocents.toml", "rb") as f:
        cases = [Case(t) for t in tomllib.load(f)["case"]]
    if w.names:
        cases = [c for c in cases if c.name in w.names]
    begun = time.time()
    incomplete = run(cases, w.rounds, w.at_once,
                     lambda x: print(x, flush=True))
    looks = sum(c.looks for c in cases)
    seen = [c for c in cases if c.looks]
    wrong = [c for c in cases if not c.is_right()]
    print(f"{len(seen)} of {len(cases)} programs, {looks} looks "
          f"({incomplete} of them not complete), "
          f"{sum(n for c in cases for n in c.found.values())} findings, "
          f"{len(wrong)} false alarms, {time.time() - begun:.0f} s")
    if w.json:
        pathlib.Path(w.json).write_text(json.dumps({
            "programs": len(seen), "looks": looks, "incomplete": incomplete,
            "cases": [{"name": c.name, "looks": c.looks, "why": c.why,
                       "found": [[s, r, n] for (s, r), n in c.found.items()],
                       "right": c.is_right()} for c in cases]},
            indent=1) + "\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
