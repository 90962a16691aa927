"""Starting things and clocking them."""

import gzip
import hashlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time

YARA_SECONDS = 60  # for one process; more is "gave up"


class Bench:
    """The programs, copied so that a build meanwhile changes nothing, and a
    directory for what the measurements need."""

    def __init__(self, build, options):
        self.options = options
        self.dir = tempfile.mkdtemp(prefix="davylamp-bench-")
        for name in ("davylamp", "davylamp-match", "builtin.yar",
                     "bench/bench", "bench/target", "bench/makeset",
                     "bench/storm"):
            shutil.copy2(os.path.join(build, name), self.dir)
        miner = os.path.join(build, "tests/randomx_driver")
        if os.path.exists(miner):
            shutil.copy2(miner, self.dir)
        self.davylamp = self.path("davylamp")
        self.builtin = self.compiled(self.path("builtin.yar"))

    def path(self, name):
        return os.path.join(self.dir, name)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def compiled(self, rules):
        """yara is spared the compiling that davylamp does at each start."""
        ret = rules + "c"
        subprocess.run(["yarac", "-w", rules, ret], check=True)
        return ret

    # ---- davylamp and yara -----------------------------------------------

    def scan(self, pids, *words):
        """`davylamp scan` of @pids (all if None): usage and its summary."""
        command = [self.davylamp, "scan", "--json", *words]
        for pid in pids or []:
            command += ["--pid", str(pid)]
        usage, out = clocked(command)
        if usage["status"] not in (0, 1, 3):
            raise RuntimeError(f"davylamp scan failed ({usage['status']})")
        usage["summary"] = json.loads(out.splitlines()[-1])["summary"]
        return usage

    def yara(self, pids, rules=None, may_fail=False):
        """`yara PID` for each of @pids; a process that is gone is nobody's."""
        total = {"cpu_s": 0.0, "wall_s": 0.0, "gave_up": [], "failed": []}
        for pid in pids:
            if not os.path.exists(f"/proc/{pid}"):
                continue
            usage, _ = clocked(["yara", "-w", "-C", "-a", str(YARA_SECONDS),
                                rules or self.builtin, str(pid)])
            if usage["status"] and not may_fail:
                raise RuntimeError(f"yara on process {pid} failed "
                                   f"({usage['status']})")
            total["cpu_s"] += usage["cpu_s"]
            total["wall_s"] += usage["wall_s"]
            if usage["wall_s"] >= YARA_SECONDS:
                total["gave_up"].append(pid)
            elif usage["status"]:
                total["failed"].append(pid)
        return total

    # ---- build/bench/bench -------------------------------------------------

    def stages(self, target, modes, *words, repeat=3):
        """{mode: its runs}, and "about" the filter."""
        command = [self.path("bench"), "--pid", str(target.pid),
                   "--start", str(target.start), "--end", str(target.end),
                   "--modes", ",".join(modes), "--repeat", str(repeat),
                   *words]
        done = subprocess.run(command, capture_output=True, text=True,
                              check=True)
        runs = {}
        for line in done.stdout.splitlines():
            run = json.loads(line)
            runs.setdefault(run["mode"], []).append(run)
        return runs

    def target(self, content, mib, permission="rw-", processes=1):
        return Target(self, content, mib, permission, processes)

    # ---- what memory can hold -----------------------------------------------

    def corpus(self, kind):
        """Code or text of this machine, in a file; (path, what it is)."""
        path = self.path(kind)
        if not os.path.exists(path):
            fill = {"code": write_code, "text": write_text}[kind]
            with open(path, "wb") as out:
                fill(out, self.options.mib << 20)
        return path, f"{kind}: {os.path.getsize(path) >> 20} MiB, " \
                     f"SHA-256 {digest(path)[:16]}"


def clocked(command):
    """Runs it.  CPU time is its own and that of the children it waited for:
    davylamp's matcher is in it."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True,
                             stdin=subprocess.DEVNULL)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    return {"cpu_s": usage.ru_utime + usage.ru_stime,
            "wall_s": time.monotonic() - begin,
            "status": child.returncode}, out


def high_water(command):
    """VmHWM in bytes by program name, sampled until the program ends: it only
    ever rises, so at most the last two milliseconds are missed."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL,
                             stdin=subprocess.DEVNULL)
    seen, others = {}, set()
    while child.poll() is None:
        others |= set(children(child.pid))
        for pid in (child.pid, *others):
            name, kib = status_of(pid)
            if name:
                seen[name] = max(seen.get(name, 0), kib * 1024)
        time.sleep(0.002)
    return seen


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def status_of(pid):
    name = kib = None
    try:
        with open(f"/proc/{pid}/status", encoding="ascii",
                  errors="replace") as f:
            for line in f:
                if line.startswith("Name:"):
                    name = line.split()[1]
                elif line.startswith("VmHWM:"):
                    kib = int(line.split()[1])
    except OSError:
        pass
    return (name, kib) if kib else (None, 0)


# ---- targets ---------------------------------------------------------------

class Target:
    """A process with known memory; for `with`."""

    def __init__(self, bench, content, mib, permission, processes):
        self.child = subprocess.Popen(
            [bench.path("target"), content, str(mib), permission,
             str(processes)], stdout=subprocess.PIPE, text=True)
        about = json.loads(self.child.stdout.readline() or "{}")
        if not about:
            raise RuntimeError(f"target {content} {mib} MiB did not start")
        self.start, self.end = about["start"], about["end"]
        self.huge, self.pids = about["huge"], about["pids"]
        self.pid = self.pids[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def memory(self):
        """Pss, Rss and Swap of all its processes, bytes."""
        total = {"Pss": 0, "Rss": 0, "Swap": 0}
        for pid in self.pids:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                for line in f:
                    key, _, value = line.partition(":")
                    if key in total:
                        total[key] += int(value.split()[0]) * 1024
        return total


# ---- corpora ---------------------------------------------------------------

def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def files_below(*roots):
    for root in roots:
        for directory, below, names in os.walk(root):
            below.sort()
            for name in sorted(names):
                path = os.path.join(directory, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path


def write_code(out, most):
    """The .text of every program in /usr/bin, one behind the other."""
    for path in files_below("/usr/bin"):
        if out.tell() >= most:
            break
        with open(path, "rb") as f:
            at, size = text_section(f)
            f.seek(at)
            out.write(f.read(size))


def text_section(f):
    """Offset and size of .text in a 64-bit ELF file, or (0, 0)."""
    head = f.read(64)
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
        return 0, 0
    table, = struct.unpack_from("<Q", head, 40)
    each, count, names = struct.unpack_from("<HHH", head, 58)
    f.seek(table)
    sections = f.read(each * count)
    if names >= count or len(sections) < each * count or each < 64:
        return 0, 0
    at, size = struct.unpack_from("<QQ", sections, names * each + 24)
    f.seek(at)
    strings = f.read(size)
    for i in range(count):
        name, = struct.unpack_from("<I", sections, i * each)
        if strings[name:name + 6] == b".text\0":
            return struct.unpack_from("<QQ", sections, i * each + 24)
    return 0, 0


def write_text(out, most):
    """Licences, documentation (unpacked) and sources."""
    for path in files_below("/usr/share/common-licenses", "/usr/share/doc",
                            "/usr/include", "/usr/lib/python3", "agent"):
        if out.tell() >= most:
            break
        if path.endswith((".png", ".pdf", ".svgz", ".pyc", ".o", ".so")):
            continue
        try:
            with (gzip.open if path.endswith(".gz") else open)(
                    path, "rb") as f:
                out.write(f.read())
        except (OSError, EOFError):
            pass
