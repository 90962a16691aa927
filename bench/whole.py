"""Series over the processes of this machine: whole, memory."""

import glob
import os
import shutil
import subprocess
import sys
import time

import svg
import tools
from record import Record

PAGE = os.sysconf("SC_PAGESIZE")
MAPPED_MOST, RESIDENT_MOST = 2**38 // PAGE, 2**30 // PAGE

NODE = "const a = []; for (let i = 0; i < 2e5; i++) " \
       "a.push({id: i, name: 'item ' + i}); setInterval(() => a.length, 1e6);"
PYTHON = "import json, ssl, http.server, sqlite3, sys; " \
         "d = {i: str(i) * 4 for i in range(200000)}; sys.stdin.read()"
NGINX = """daemon off; worker_processes 2; pid {dir}/nginx.pid;
error_log /dev/null; events {{ worker_connections 64; }}
http {{ access_log off; server {{ listen unix:{dir}/nginx.sock; }} }}"""


class Crowd:
    """A fixed set of idle programs as servers have them, nothing beyond
    loopback; what this machine lacks is in `missing`."""

    def __init__(self, directory):
        self.children, self.missing = [], []
        self.dir = os.path.join(directory, "crowd")
        os.makedirs(self.dir)
        conf = os.path.join(self.dir, "nginx.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(NGINX.format(dir=self.dir))
        wanted = [["node", "-e", NODE]] * 2 + [
            [sys.executable, "-c", PYTHON]] * 2 + [
            ["redis-server", "--port", "0", "--save", "", "--unixsocket",
             os.path.join(self.dir, "redis.sock")],
            ["nginx", "-c", conf, "-p", self.dir],
            ["openssl", "s_server", "-nocert", "-accept", "127.0.0.1:0"],
            ["bash", "-c", "read"], ["bash", "-c", "read"]]
        for command in wanted:
            self.start(command)
        time.sleep(3)
        for child, name in self.children:
            if child.poll() is not None:
                self.missing.append(f"{name} (ended)")

    def start(self, command):
        name = os.path.basename(command[0])
        if not shutil.which(command[0]):
            self.missing.append(name)
            return
        self.children.append((subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.dir), name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child, _ in self.children:
            child.stdin.close()
            child.terminate()
        for child, _ in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def processes():
    """Every process with memory of its own, in the order of pids, and how
    many were left out: an emulator or sanitizer of whoever else works here
    would decide the result, and yara never comes to its end."""
    pids, left_out = [], 0
    for path in glob.glob("/proc/[0-9]*/statm"):
        try:
            with open(path, encoding="ascii") as f:
                mapped, resident = map(int, f.read().split()[:2])
        except OSError:
            continue
        if mapped > MAPPED_MOST or resident > RESIDENT_MOST:
            left_out += 1
        elif mapped:
            pids.append(int(path.split("/")[2]))
    return sorted(pids), left_out


def resident_mib(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as f:
                total += int(f.read().split()[1])
        except OSError:
            pass
    return total * PAGE / 2**20


def whole(b):
    r = Record("whole", "A whole scan of this machine")
    with Crowd(b.dir) as crowd:
        pids, left_out = processes()
        if left_out:
            r.note(f"{left_out} process(es) left out: more than 256 GiB "
                   "mapped or 1 GiB resident.")
        r.note(f"{len(pids)} processes that were there at the start, "
               f"{resident_mib(pids):.0f} MiB resident in sum. x yara: one "
               "`yara PID` after the other, over the same processes, with "
               "the same rules (compiled beforehand).")
        r.note("Started for it: 2 node, 2 python3, redis, nginx with 2 "
               "workers, openssl, 2 bash" + (
                   f"; missing: {', '.join(crowd.missing)}."
                   if crowd.missing else "."))
        for n in range(b.options.rounds):
            pids = [p for p in pids if os.path.exists(f"/proc/{p}")]
            d = b.scan(pids)
            add_usage(r, "davylamp scan", d)
            r.add("davylamp scan", "read", "MiB", "",
                  d["summary"]["readBytes"] / 2**20)
            r.add("davylamp scan", "findings", "", "",
                  d["summary"]["findings"])
            if n >= b.options.yara_rounds:
                continue
            y = b.yara(pids, may_fail=True)
            add_usage(r, "yara PID, each", y)
            r.add("davylamp scan", "x yara", "x", "more",
                  y["cpu_s"] / d["cpu_s"])
            r.add("yara PID, each", "failed", "", "", len(y["failed"]))
            if y["gave_up"]:
                r.note(f"yara gave up on {len(y['gave_up'])} process(es) "
                       f"after {tools.YARA_SECONDS} s.")
        measure_memory(b, r, pids)
    table = r.table("", [("cpu", "CPU\ns", "{:.3f}"),
                         ("wall", "wall\ns", "{:.3f}"),
                         ("read", "read\nMiB", "{:.0f}"),
                         ("peak", "peak\nMiB", "{:.1f}"),
                         ("matcher peak", "matcher\nMiB", "{:.1f}"),
                         ("x yara", "x yara", "{:.1f}"),
                         ("findings", "findings", "{:.0f}")])
    plot = svg.bars("A whole scan of this machine", "CPU seconds, log scale",
                    "CPU seconds", [(w, [r.value(w, "cpu")])
                                    for w in r.whats()], ["CPU s"], log=True)
    return r, table, plot


def add_usage(r, what, usage):
    r.add(what, "cpu", "s", "less", usage["cpu_s"])
    r.add(what, "wall", "s", "", usage["wall_s"])


def measure_memory(b, r, pids):
    words = [w for p in pids for w in ("--pid", str(p))]
    seen = tools.high_water([b.davylamp, "scan", "--json", *words])
    add_peaks(r, "davylamp scan", seen)
    largest = max(pids, key=lambda p: resident_mib([p]))
    seen = tools.high_water(["yara", "-C", "-a", str(tools.YARA_SECONDS),
                             b.builtin, str(largest)])
    r.add("yara PID, each", "peak", "MiB", "less",
          seen.get("yara", 0) / 2**20)


def add_peaks(r, what, seen):
    r.add(what, "peak", "MiB", "less", seen.get("davylamp", 0) / 2**20)
    r.add(what, "matcher peak", "MiB", "less",
          seen.get("davylamp-match", 0) / 2**20)


def memory(b):
    """Peak memory of both programs against the size of what they look at."""
    r = Record("memory", "Peak memory (VmHWM) of each program")
    sizes = [256, 1024, 2048] + ([8192] if b.options.long else [])
    for mib in sizes:
        with b.target("random", mib, "r-x") as t:
            seen = tools.high_water([b.davylamp, "scan", "--pid",
                                     str(t.pid)])
            add_peaks(r, f"a target of {mib} MiB", seen)
            if mib > 1024:
                continue
            seen = tools.high_water(["yara", "-C", b.builtin, str(t.pid)])
            r.add(f"a target of {mib} MiB", "yara peak", "MiB", "less",
                  seen.get("yara", 0) / 2**20)
    for n in [10**6] + ([10**7] if b.options.long else []):
        made = b.path(f"set{n}")
        subprocess.run([b.path("makeset"), str(n), made], check=True,
                       stdout=subprocess.DEVNULL)
        with b.target("random", 256, "r-x") as t:
            seen = tools.high_water([b.davylamp, "scan", "--hashes", made,
                                     "--pid", str(t.pid)])
        add_peaks(r, f"256 MiB, {n} digests", seen)
        r.add(f"256 MiB, {n} digests", "allowed", "MiB", "",
              16 + 1.5 * n / 2**20)
        os.unlink(made)
    table = r.table("", [("peak", "davylamp\nMiB", "{:.1f}"),
                         ("matcher peak", "matcher\nMiB", "{:.1f}"),
                         ("yara peak", "yara\nMiB", "{:.1f}"),
                         ("allowed", "allowed\nMiB", "{:.1f}")])
    plot = svg.bars("Peak memory", "MiB, log scale", "MiB", [
        (w, [r.value(w, m) for m in ("peak", "matcher peak", "yara peak")])
        for w in r.whats()], ["davylamp", "davylamp-match", "yara"], log=True)
    return r, table, plot
