"""Series of the service: how soon it finds, what it costs, what it disturbs."""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import time

import svg
import tools
from record import Record, median

PROCESSES, RESIDENT_MIB = 200, 4096
STARTS = 100
STORM_S = 60
BUDGET_S = 630   # ten minutes and what comes before the first slot is full


class Service:
    """`davylamp run` with a spool of its own; for `with`."""

    def __init__(self, bench, **keys):
        self.dir = os.path.join(bench.dir, "service")
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir, mode=0o755)
        self.spool = os.path.join(self.dir, "spool")
        self.config = os.path.join(self.dir, "davylamp.conf")
        with open(self.config, "w", encoding="ascii") as f:
            f.write(f"[spool]\npath = {self.spool}\n[findings]\nstate = "
                    f"{self.dir}/state\nfile = none\njournal = no\n[run]\n"
                    f"status = {self.dir}/status\n" + "".join(
                        f"{k} = {v}\n" for k, v in keys.items()))
        self.bench = bench
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.child = subprocess.Popen(
                [bench.davylamp, "run", "--config", self.config], stderr=log)
        wait(lambda: os.path.exists(f"{self.dir}/status"), 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()

    def status(self):
        """It says nothing of a service that got no CPU time for a while."""
        def ask():
            return subprocess.run([self.bench.davylamp, "status", "--json",
                                   "--config", self.config],
                                  capture_output=True, text=True)
        return json.loads(wait(lambda: ask().stdout, 120, 1))

    def finding_of(self, pid):
        """When the file of its finding was written, or None."""
        for path in glob.glob(f"{self.spool}/[0-9]-*.json"):
            with contextlib.suppress(OSError, ValueError):
                with open(path, encoding="utf-8") as f:
                    event = json.load(f)
                about = event["finding"].get("processes") or [{}]
                if int(about[0].get("pid", 0)) == pid:
                    return os.stat(path).st_mtime
        return None

    def clear(self):
        for path in glob.glob(f"{self.spool}/[0-9]-*.json"):
            os.unlink(path)

    def pids(self):
        return [self.child.pid, *tools.children(self.child.pid)]

    def pss(self):
        return sum(rollup(pid)["Pss"] for pid in self.pids())

    def own(self):
        """Anonymous and shared memory; no file's."""
        all_of_it = [rollup(pid) for pid in self.pids()]
        return sum(m["Pss_Anon"] + m["Pss_Shmem"] for m in all_of_it)

    def peak(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as f:
            return 1024 * int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])

    def peak_until(self, condition, seconds=30):
        """The most of it that was seen."""
        most, end = 0, time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            with contextlib.suppress(OSError, KeyError):
                most = max(most, self.pss())
        return most

    def reload_peak(self):
        os.kill(self.child.pid, signal.SIGHUP)
        with open(f"{self.dir}/log", encoding="utf-8") as log:
            return self.peak_until(lambda: "reloaded: " in log.read())


def rollup(pid):
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                values[words[0].rstrip(":")] = int(words[1]) * 1024
    return values


def wait(condition, seconds, step=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(step)
    return None


class Load:
    """So many processes and so much resident memory as a server has."""

    def __init__(self, bench, processes, mib):
        self.stack = contextlib.ExitStack()
        here = len(glob.glob("/proc/[0-9]*"))
        for _ in range(8):
            self.stack.enter_context(bench.target("random", mib // 8, "rw-"))
        self.idle = [subprocess.Popen(["sleep", "100000"])
                     for _ in range(max(0, processes - here - 8))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.idle:
            child.kill()
            child.wait()
        self.stack.close()


# ---- how soon ----------------------------------------------------------------

def start_miner(bench):
    """Offline, with an end of its own; the driver's mode jit mines at once."""
    before = time.time()
    child = subprocess.Popen(
        ["unshare", "-n", "timeout", "-s", "KILL", "120",
         bench.path("randomx_driver"), "jit"], stdout=subprocess.DEVNULL)
    pid = wait(lambda: next(iter(tools.children(child.pid)), None), 10, 0.002)
    return child, pid, before


def one_start(bench, service):
    child, pid, before = start_miner(bench)
    found = wait(lambda: service.finding_of(pid), 100)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    child.wait()
    return found - before if found else None


def share(values, p):
    """The value below which a share of @p lies."""
    values = sorted(values)
    return values[min(len(values) - 1, int(p * len(values)))]


def detection(b):
    """From the start of a RandomX program to the finding's file."""
    r = Record("detection", "Time to detection: exec to finding on disk")
    r.note(f"{PROCESSES} processes, {RESIDENT_MIB} MiB resident besides; each "
           "miner starts when the one before has been found and ended. "
           "cpu_budget is 1, its default.")
    curves = []
    if not os.path.exists(b.path("randomx_driver")):
        return r.nothing("librandomx-dev is not installed")
    with Load(b, PROCESSES, RESIDENT_MIB):
        for sensors, starts in (("auto", STARTS), ("netlink", STARTS // 5),
                                ("polling", STARTS // 5)):
            with Service(b, sensors=sensors) as s:
                wait(lambda: s.status()["pass"]["completed"], 300, 0.5)
                mode = s.status()["sensors"]["mode"]
                times = [one_start(b, s) for _ in range(starts)]
                spent = s.status()["budget"]["cpuSeconds"]
            missed = times.count(None)
            times = sorted(t for t in times if t)
            for t in times:
                r.add(mode, "start", "s", "less", t)
            r.add(mode, "p50", "s", "less", share(times, 0.5))
            r.add(mode, "p99", "s", "less", share(times, 0.99))
            r.add(mode, "most", "s", "less", times[-1])
            r.add(mode, "starts", "", "", len(times) + missed)
            r.add(mode, "missed", "", "less", missed)
            r.add(mode, "CPU of the service", "s", "less", spent)
            curves.append((mode, [(t, 100 * (i + 1) / len(times))
                                  for i, t in enumerate(times)]))
    table = r.table("sensors", [("starts", "starts", "{:.0f}"),
                                ("missed", "missed", "{:.0f}"),
                                ("p50", "p50 s", "{:.2f}"),
                                ("p99", "p99 s", "{:.2f}"),
                                ("most", "most s", "{:.2f}"),
                                ("CPU of the service", "CPU s", "{:.2f}")])
    plot = svg.lines("Time to detection",
                     "from exec to the finding's file, share of the starts",
                     "seconds", "% found", curves)
    return r, table, plot


# ---- what it loses ------------------------------------------------------------

def storm(b):
    """A minute of short processes, as many as there can be, and miners."""
    r = Record("storm", "A minute of as many execs as this machine can make")
    r.note(f"build/bench/storm: the smallest program, on each CPU one after "
           f"the other, {STORM_S} s; in between a RandomX program starts every "
           "ten seconds and lives on. counted: by BPF, of all that began.")
    with Service(b) as s:
        before = s.status()["sensors"]
        begin = time.monotonic()
        short = subprocess.Popen([b.path("storm"), str(STORM_S)],
                                 stdout=subprocess.PIPE, text=True)
        miners = []
        while short.poll() is None:
            if len(miners) < (time.monotonic() - begin) // 10 + 1 and \
                    len(miners) < STORM_S // 10:
                miners.append(start_miner(b))
            time.sleep(0.2)
        made = int(short.stdout.read())
        found = sum(wait(lambda p=pid: s.finding_of(p), 60) is not None
                    for _, pid, _ in miners)
        after = s.status()
        for child, pid, _ in miners:
            os.kill(pid, signal.SIGKILL)
            child.wait()
    what = after["sensors"]["mode"]
    r.add(what, "execs/s", "1/s", "", made / STORM_S)
    r.add(what, "made", "", "", made)
    r.add(what, "counted", "", "",
          after["sensors"]["execs"] - before["execs"])
    r.add(what, "lost", "", "less", after["sensors"]["lost"] - before["lost"])
    r.add(what, "lived on", "", "", len(miners))
    r.add(what, "found", "", "more", found)
    r.add(what, "used", "%", "less", 100 * after["budget"]["used"])
    table = r.table("sensors", [("execs/s", "execs/s", "{:.0f}"),
                                ("made", "made", "{:.0f}"),
                                ("counted", "counted", "{:.0f}"),
                                ("lost", "lost", "{:.0f}"),
                                ("lived on", "lived\non", "{:.0f}"),
                                ("found", "found", "{:.0f}"),
                                ("used", "used\n%", "{:.2f}")])
    return r, table, None


# ---- what it costs ------------------------------------------------------------

def churn(seconds):
    """Short processes all the time, some that live on, as a build has."""
    end, living = time.monotonic() + seconds, []
    while time.monotonic() < end:
        for _ in range(10):
            subprocess.run(["true"], check=True)
        living.append(subprocess.Popen(["sleep", "20"]))
        for child in [c for c in living if c.poll() is not None]:
            living.remove(child)
        time.sleep(0.5)
    for child in living:
        child.kill()
        child.wait()


def budget(b):
    """CPU time over ten minutes of churn, with the default budget."""
    r = Record("budget", "CPU time and memory of the service")
    r.note("own: anonymous and shared memory of davylamp and both its "
           "matchers; Pss has the libraries' pages too, which change hands as "
           "other processes come and go. peak: VmHWM of davylamp alone, its "
           "start and a reload included.")
    seconds = BUDGET_S * (3 if b.options.long else 1)
    with Load(b, PROCESSES, RESIDENT_MIB), Service(b) as s:
        held = []
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            churn(30)
            status = s.status()
            held.append((time.monotonic() - begin, s.own() / 2**20,
                         s.pss() / 2**20,
                         sum(len(os.listdir(f"/proc/{p}/fd"))
                             for p in s.pids()),
                         100 * status["budget"]["used"]))
        what = f"churn, {seconds // 60} min"
        r.add(what, "allowed", "%", "", 100 * status["budget"]["share"])
        for row in held:
            r.add(what, "own", "MiB", "less", row[1])
            r.add(what, "Pss", "MiB", "less", row[2])
            r.add(what, "descriptors", "", "less", row[3])
        r.add(what, "most used", "%", "less", max(h[4] for h in held))
        r.add(what, "own, last to first minutes", "%", "less",
              100 * (median([h[1] for h in held[-4:]]) /
                     median([h[1] for h in held[2:6]]) - 1))
        r.add(what, "execs", "", "", status["sensors"]["execs"])
        r.add(what, "lost", "", "less", status["sensors"]["lost"])
        r.add(what, "passes", "", "", status["pass"]["completed"])
        before = s.pss()
        r.add(what, "reload, peak to before", "x", "less",
              s.reload_peak() / before)
        r.add(what, "peak", "MiB", "less", s.peak() / 2**20)
    table = r.table("", [("allowed", "allowed\n%", "{:.1f}"),
                         ("most used", "used\n%", "{:.2f}"),
                         ("own", "own\nMiB", "{:.1f}"),
                         ("own, last to first minutes", "grew\n%", "{:+.1f}"),
                         ("Pss", "Pss\nMiB", "{:.1f}"),
                         ("descriptors", "fds", "{:.0f}"),
                         ("execs", "execs", "{:.0f}"),
                         ("lost", "lost", "{:.0f}"),
                         ("passes", "passes", "{:.0f}"),
                         ("reload, peak to before", "reload\npeak x",
                          "{:.2f}"),
                         ("peak", "peak\nMiB", "{:.1f}")])
    plot = svg.lines("Memory of the service and its matchers",
                     "under churn", "seconds", "MiB",
                     [("own", [(h[0], h[1]) for h in held]),
                      ("Pss", [(h[0], h[2]) for h in held])])
    return r, table, plot
