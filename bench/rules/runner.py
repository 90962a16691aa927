"""Starts what is to be looked at, and asks davylamp what it sees."""
import json
import os
import pathlib
import select
import signal
import subprocess
import time


class Failed(Exception):
    """A case could not be run; the text says why."""


class Davylamp:
    """The program under test, with the words that all its scans get."""

    def __init__(self, program, words):
        self.program, self.words = program, words

    def ask(self, *args, timeout=600):
        done = subprocess.run([self.program, *map(str, args)],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout)
        out = done.stdout.decode("utf-8", "replace")
        return done.returncode, [json.loads(x) for x in out.splitlines()
                                 if x.startswith("{")], (
            done.stderr.decode("utf-8", "replace").strip())

    def scan(self, *args):
        """The looks, each with its finding's category, of one scan."""
        status, lines, err = self.ask("scan", "--json", "--verbose",
                                      "--threads", 1, *self.words, *args)
        looks = [x["look"] for x in lines if "look" in x]
        if status not in (0, 1, 3) or not looks:
            raise Failed(err or f"davylamp scan ended with status {status}")
        return looks

    def versions(self):
        """Of the rules and the hash set."""
        status, lines, err = self.ask("scan", "--json", "--pid", os.getpid(),
                                      *self.words)
        for x in lines:
            if "summary" in x:
                return {k: x["summary"][k]
                        for k in ("rules", "ruleSetVersion", "pageDigests",
                                  "hashSetVersion")}
        raise Failed(err or f"davylamp scan ended with status {status}")


def descendants(pid):
    found = [pid]
    for p in found:
        try:
            for task in pathlib.Path(f"/proc/{p}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            pass
    return found


def offline():
    """A namespace without network: nobody mines here for real."""
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]


class Running:
    """The program of a case, ended with all its children at the end."""

    def __init__(self, case):
        cpu = str(min(os.sched_getaffinity(0)))
        env = dict(os.environ, OMP_NUM_THREADS="1", UV_THREADPOOL_SIZE="1")
        try:
            self.p = subprocess.Popen(
                [*offline(), "taskset", "-c", cpu, "timeout", "-s", "KILL",
                 str(case.seconds), *case.command],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdout=subprocess.PIPE, cwd=case.folder, env=env,
                start_new_session=True)
        except OSError as e:
            raise Failed(f"{e.filename}: {e.strerror}") from e
        self.case = case

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.p.wait()
        self.p.stdout.close()

    def wait(self):
        end = time.monotonic() + (self.case.seconds if self.case.ready
                                  else self.case.wait)
        text = b""
        fd = self.p.stdout.fileno()
        while (left := end - time.monotonic()) > 0:
            if select.select([fd], [], [], min(left, 0.2))[0]:
                more = os.read(fd, 65536)
                if not more:
                    time.sleep(min(0.1, left))
                text = (text + more)[-65536:]
            if self.p.poll() is not None:
                raise Failed(f"ended with status {self.p.returncode} before "
                             "it was looked at")
            if self.case.ready and self.case.ready.encode() in text:
                return
        if self.case.ready:
            raise Failed(f"did not print '{self.case.ready}' in "
                         f"{self.case.seconds:g} s")

    def pids(self):
        """The program and what it started, without our own wrapping."""
        found = descendants(self.p.pid)
        while len(found) > 1 and wraps(found[0]):
            found = found[1:]
        return found


def wraps(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) in (
            "unshare", "taskset", "timeout")
    except OSError:
        return True


def look(davylamp, case, keep=None):
    """The looks at a case's processes, and the captures that were kept."""
    if case.capture:
        path = case.folder / case.capture
        return davylamp.scan("--capture", path), [path]
    with Running(case) as running:
        running.wait()
        pids = running.pids()
        looks = davylamp.scan(*(x for p in pids for x in ("--pid", p)))
        kept = []
        for i, pid in enumerate(pids if keep else []):
            path = keep / (case.name.replace("/", "_").replace(" ", "-") +
                           f"{'-%d' % i if i else ''}.dlc")
            path.unlink(missing_ok=True)
            if davylamp.ask("rules", "capture", pid, "-o", path)[0] == 0:
                kept.append(path)
        return looks, kept
