"""What the end-to-end tests share: starting processes, scanning them through
the public command line, and a runner that prints its totals last."""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
RUN = os.environ.get("RUN", "")
DAVYLAMP = BUILD / "davylamp"
PLANT = BUILD / "tests" / "plant"
# Downloads (npm modules, a node) are kept here between runs.
CACHE = ROOT / "build" / "e2e"
# Its runtime needs more calls than any list of ours allows (agent/confine.h).
SANITIZED = "ASAN_OPTIONS" in os.environ or BUILD.name in ("san", "tsan")
# LeakSanitizer traces its own process, which davylamp's filter forbids: leaks are
# for the unit tests to find.  Some tests preload libraries before its own.
if BUILD.name == "san":
    os.environ.setdefault("ASAN_OPTIONS",
                          "detect_leaks=0:verify_asan_link_order=0")
AS_ROOT = os.geteuid() == 0
NOBODY = 65534

CLEAN, FINDINGS, USAGE, INCOMPLETE, UNABLE = range(5)

# What RandomX_AES_Keys looks for: a miner for all we know.
MINER = b"".join(x + bytes(16) for x in map(bytes.fromhex, (
    "53a5ac6d096671622b55b5db1749f4b4", "63376285085d8fe7853767cd91d2ded8",
    "1700776ad0c762ae6b507950e47ca0e8", "d163b2613ce0f451c64310ee9bf918ed")))

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Scan:
    """One run of davylamp: status, text, and what --json said."""

    def __init__(self, done):
        self.status = done.returncode
        self.bytes = done.stdout
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")
        self.lines, self.findings, self.summary = [], [], None
        if self.out.startswith("{"):
            self.lines = [json.loads(x) for x in self.out.splitlines()]
            self.findings = self.lines[:-1]
            self.summary = self.lines[-1].get("summary")

    def of(self, pid):
        """The finding of one process, or None."""
        for f in self.findings:
            if int(f["processes"][0]["pid"]) == pid:
                return f
        return None

    def rules_of(self, pid):
        f = self.of(pid)
        return [s["yaraRuleSignature"]["yaraRule"]
                for s in (f["indicator"]["signatures"] if f else [])
                if "yaraRuleSignature" in s]

    def __str__(self):
        return (f"status {self.status}\n--- stdout\n{self.out}\n"
                f"--- stderr\n{self.err}")


def davylamp(*args, timeout=120, prefix=(), **more):
    """Runs davylamp; never longer than @timeout."""
    more.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([*prefix, str(DAVYLAMP), *map(str, args)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **more)
    return Scan(done)


def scan(*pids, args=(), **more):
    """`davylamp scan --json` of @pids."""
    named = [x for p in pids for x in ("--pid", p)]
    return davylamp("scan", "--json", *named, *args, **more)


def as_nobody():
    return ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
            "--clear-groups"]


def have(*programs):
    """The path of the first of @programs that is there."""
    for p in programs:
        path = shutil.which(p)
        if path:
            return path
    return None


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(x) for x in text.split()]


def wait_for(condition, seconds=30, what="a condition"):
    """The first true value of condition(), or an error after @seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Processes(contextlib.AbstractContextManager):
    """Starts processes and ends them all, with their children."""

    def __init__(self):
        self.started = []
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="davylamp-e2e."))

    def start(self, *args, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.DEVNULL)
        p = subprocess.Popen([x if isinstance(x, bytes) else str(x)
                              for x in args], start_new_session=True,
                             preexec_fn=_die_with_parent, **more)
        self.started.append(p)
        return p

    def offline(self, *args, seconds=120, **more):
        """Starts a miner: no network, and an end.  Returns (process, pid of
        the miner itself)."""
        net = ["unshare", "-n" if AS_ROOT else "-rn"]
        p = self.start(*net, "timeout", "-s", "KILL", seconds, *args, **more)

        def running():
            if p.poll() is not None:
                raise RuntimeError(f"{args[0]} ended: {p.returncode}")
            return children(p.pid)
        return p, wait_for(running, what=f"the start of {args[0]}")[0]

    def ready(self, p, word=b"ready", seconds=60):
        """Waits for a line that begins with @word."""
        os.set_blocking(p.stdout.fileno(), False)
        text = b""
        end = time.monotonic() + seconds
        while not any(x.startswith(word) for x in text.split(b"\n")):
            if p.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{p.args[0]}: not '{word.decode()}' but "
                                   f"{text!r}, status {p.poll()}")
            text += p.stdout.read() or b""
            time.sleep(0.02)
        return text.decode("utf-8", "replace")

    def plant(self, kind, data, busy=False, name=None, **more):
        """A process that holds @data in memory of @kind."""
        options = ["--busy"] if busy else []
        if name is not None:
            options += ["--name", name]
        env = dict(os.environ, TMPDIR=str(self.dir))
        p = self.start(PLANT, *options, kind, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, env=env, **more)
        if busy and AS_ROOT:  # its share of a core decides
            os.setpriority(os.PRIO_PROCESS, p.pid, -10)
        p.stdin.write(data)
        p.stdin.close()
        self.ready(p)
        return p

    def stop(self, p):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        for f in (p.stdin, p.stdout, p.stderr):
            if f:
                f.close()

    def close(self):
        for p in self.started:
            self.stop(p)
        self.started = []
        shutil.rmtree(self.dir, ignore_errors=True)

    def __exit__(self, *_):
        self.close()


class Case(unittest.TestCase):
    """A test with processes of its own."""

    def setUp(self):
        self.p = Processes()
        self.addCleanup(self.p.close)
        self.dir = self.p.dir

    def status(self, result, *expected):
        self.assertIn(result.status, expected, str(result))


# ---- the runner ---------------------------------------------------------------


class _Result(unittest.TestResult):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.passed = 0

    def _say(self, word, test, text=""):
        name = test.id().removeprefix("__main__.")
        print(f"{word}: {name}{text}", flush=True)

    def addSuccess(self, test):
        self.passed += 1

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("skip", test, f": {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._say("FAIL", test, "\n" + self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self._say("FAIL", test, "\n" + self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._say("FAIL", subtest, "\n" + (
                self.failures + self.errors)[-1][1])


def main():
    """Runs the tests of the file that called; names as arguments choose."""
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    suite = (loader.loadTestsFromNames(names, module) if names else
             loader.loadTestsFromModule(module))
    result = _Result()
    begin = time.monotonic()
    suite.run(result)
    failed = len(result.failures) + len(result.errors)
    print(f"time: {time.monotonic() - begin:.1f} s")
    print(f"{result.passed} passed, {failed} failed, "
          f"{len(result.skipped)} skipped", flush=True)
    sys.exit(1 if failed else 0)
