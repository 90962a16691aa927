#!/usr/bin/env python3
"""Processes that make it hard to look at them, or dangerous: what they hold is
found all the same, at once, and of nobody else."""
import contextlib
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import time
import unittest

import support
from support import AS_ROOT, BUILD, DAVYLAMP, FINDINGS, Case, davylamp, scan
from test_rules import CASES, read_cases

# What RandomX_AES_Keys looks for: a miner for all we know.
MINER = b"".join(x + bytes(16) for x in map(bytes.fromhex, (
    "53a5ac6d096671622b55b5db1749f4b4", "63376285085d8fe7853767cd91d2ded8",
    "1700776ad0c762ae6b507950e47ca0e8", "d163b2613ce0f451c64310ee9bf918ed")))
RULE = "RandomX_AES_Keys"
SECONDS = 5
HOSTILE = BUILD / "tests" / "hostile"
FUSE = BUILD / "tests" / "fuse"
NO_WAY = 77  # this machine does not let a process be as hostile


class Look(Case):
    def trouble(self, *words, data=MINER, program=HOSTILE, **more):
        """Starts a process; the pid of the one with the payload."""
        p = self.p.start(program, *words, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         **more)
        p.stdin.write(data)
        p.stdin.close()
        try:
            said = self.p.ready(p).split()
        except RuntimeError:
            if p.wait() == NO_WAY:
                self.skipTest(p.stderr.read().decode(errors="replace").strip())
            raise
        return int(said[1]) if len(said) > 1 else p.pid

    def found(self, pid, rule=RULE, args=(), pids=()):
        """It is, within SECONDS of CPU time, and no more is spent waiting."""
        def cpu():
            r = resource.getrusage(resource.RUSAGE_CHILDREN)
            return r.ru_utime + r.ru_stime
        begin, used = time.monotonic(), cpu()
        result = scan(*pids, pid, args=args, timeout=60)
        took = time.monotonic() - begin
        self.assertIn(rule, result.rules_of(pid), str(result))
        if not support.SANITIZED:  # which takes its own time
            self.assertLess(cpu() - used, SECONDS)
            self.assertLess(took, 3 * SECONDS)  # others have the CPUs, too
        return result


class Memory(Look):
    def test_a_hundred_tib_of_decoys(self):
        self.found(self.trouble("decoys"))

    def test_as_many_mappings_as_there_can_be(self):
        self.found(self.trouble("many"))

    def test_a_million_page_sparse_file(self):
        self.found(self.trouble("sparse"))

    def test_pages_that_it_may_not_read_itself(self):
        for kind in "anon----", "anon---x":
            with self.subTest(kind=kind):
                self.found(self.p.plant(kind, MINER).pid)

    def test_pages_that_never_come(self):
        self.found(self.trouble("faults"))

    def test_pages_that_go_while_they_are_read(self):
        pid = self.trouble("racing")
        for _ in range(20):
            self.found(pid)

    def test_arguments_that_never_come(self):
        self.found(self.trouble("arguments"))

    def test_a_file_system_that_does_not_answer(self):
        self.found(self.trouble("silent", program=FUSE))

    def test_arguments_in_a_file_system_that_does_not_answer(self):
        self.found(self.trouble("arguments", program=FUSE))

    def test_a_file_system_that_takes_its_pages_back(self):
        """Who reads one of them just then would wait for ever.  That look is
        not complete, and others are as ever."""
        miner = self.p.plant("anon-r--", MINER)
        pid = self.trouble("racing", program=FUSE)
        looks, lost, end = 0, 0, time.monotonic() + 60
        while not lost and time.monotonic() < end:
            result = self.found(miner.pid, pids=[pid])
            looks += 1
            self.assertIsNone(result.of(pid), str(result))
            lost += result.summary["partial"]
            self.assertEqual(result.summary["clean"],
                             1 - result.summary["partial"], str(result))
        print(f"hint: {lost} of {looks} looks met a page that had gone")
        if not lost:
            self.skipTest(f"no page went in {looks} looks just as it was read")

    def lose_a_page(self, service):
        """A process takes all its pages back just as the service's reader
        copies them, which is held for that long.  Returns that process, or
        None where no reader was seen."""
        before = set(support.children(service.p.pid))
        pid = self.trouble("leaving", program=FUSE)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            for reader in set(support.children(service.p.pid)) - before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(reader, signal.SIGSTOP)
                    os.kill(pid, signal.SIGUSR1)
                    time.sleep(0.02)
                    os.kill(reader, signal.SIGCONT)
                    return pid
        return None

    @unittest.skipUnless(AS_ROOT, "needs root")
    def test_a_service_beside_pages_that_never_come(self):
        """That look is not complete; the miner that was there is found, and
        the next; the service ends when it is asked to."""
        from test_run import Service
        miner = self.p.plant("anon-r--", MINER, busy=True)
        s = Service(self)
        s.wait_pass()
        support.wait_for(lambda: s.of(miner.pid), 60, "the miner")
        before = s.status()["looks"]["partial"]

        def lost():
            return s.status()["looks"]["partial"] > before
        targets = []
        while len(targets) < 10 and not lost():
            targets.append(self.lose_a_page(s))
            if targets[-1]:
                with contextlib.suppress(TimeoutError):
                    support.wait_for(lost, 5)
        met = lost()
        print(f"hint: {len(targets)} processes took their pages back")
        another = self.p.plant("anon-r--", MINER, busy=True)
        support.wait_for(lambda: s.of(another.pid), 120, "the next miner")
        self.assertIsNone(s.p.poll())
        for pid in filter(None, targets):
            self.assertIsNone(s.of(pid))
        s.stop(60)
        self.assertEqual(s.p.returncode, 0, s.text())
        if not met:
            self.skipTest("no page went just as the service read it")

    def test_a_file_that_is_cut_while_it_is_read(self):
        pid = self.trouble("truncated")
        for _ in range(20):
            self.found(pid)

    def test_memory_that_changes_while_it_is_read(self):
        pid = self.trouble("churning")
        for _ in range(20):
            self.found(pid)


class State(Look):
    def test_its_first_thread_has_ended(self):
        pid = self.trouble("headless")
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        self.assertIn(") Z ", text)
        self.found(pid)
        result = davylamp("scan", "--json", timeout=120)
        self.assertIn(RULE, result.rules_of(pid))

    def test_its_threads_live_briefly(self):
        """No look takes a thread's end for the process's."""
        pid = self.trouble("brief")
        found = 0
        for _ in range(20):
            result = scan(pid, timeout=60)
            self.assertEqual(result.summary["vanished"], 0, str(result))
            found += RULE in result.rules_of(pid)
            self.assertEqual(result.summary["clean"], 0, str(result))
        print(f"hint: {found} of 20 looks found it")
        self.assertGreater(found, 10)

    def test_undumpable(self):
        self.found(self.trouble("undumpable"))

    def test_traced_and_stopped(self):
        pid = self.trouble("traced")
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertNotIn("TracerPid:\t0\n", text)
        self.found(pid)

    @unittest.skipUnless(AS_ROOT, "needs root, to become another")
    def test_setuid(self):
        program = self.dir / "setuid"
        shutil.copy(HOSTILE, program)
        os.chown(program, 0, 0)
        program.chmod(0o4755)
        self.dir.chmod(0o755)
        p = self.p.start(*support.as_nobody(), program, "many",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        self.assertEqual(os.stat(f"/proc/{p.pid}").st_uid, 0)
        result = self.found(p.pid)
        self.assertEqual(result.of(p.pid)["processes"][0]["userId"], "0")

    def test_in_other_namespaces(self):
        for flags in "-pf", "-m", "-n", "-u", "-i", "-C", "-Urm", "-Urpfmn":
            with self.subTest(flags=flags):
                p = self.p.start("unshare", flags, HOSTILE, "undumpable",
                                 stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
                p.stdin.write(MINER)
                p.stdin.close()
                try:
                    self.p.ready(p)
                except RuntimeError:
                    self.skipTest(f"no unshare {flags} here")
                kids = support.children(p.pid)
                self.found(kids[0] if "f" in flags else p.pid)

    def test_forks_all_the_time(self):
        pid = self.trouble("bomb")
        self.found(pid)
        begin = time.monotonic()
        result = davylamp("scan", "--json", timeout=120)
        self.assertIn(RULE, result.rules_of(pid))
        self.assertLess(time.monotonic() - begin, 60)


class Paths(Look):
    """What lies where /proc/PID/maps says that the mapped file does."""

    @unittest.skipUnless(AS_ROOT, "needs root, to mount")
    def test_a_program_on_an_overlay(self):
        """As in most containers: its digest is there."""
        p = self.p.start(
            "unshare", "-m", "sh", "-c", 'cd "$1" && mount -t tmpfs none . && '
            "mkdir lower upper work merged && cp -p \"$2\" lower/program && "
            "mount -t overlay none merged -o "
            "lowerdir=lower,upperdir=upper,workdir=work && "
            "exec merged/program anon-r--", "sh", self.dir, support.PLANT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        p.stdin.write(MINER)
        p.stdin.close()
        try:
            self.p.ready(p)
        except RuntimeError:
            self.skipTest("no overlay here: " +
                          p.stderr.read().decode(errors="replace"))
        binary = self.found(p.pid).of(p.pid)["processes"][0]["binary"]
        self.assertEqual(binary["sha256"], hashlib.sha256(
            support.PLANT.read_bytes()).hexdigest())

    def test_a_program_on_an_overlay_of_files_that_never_come(self):
        """It is found all the same, without a digest."""
        pid = self.trouble("below", support.PLANT, "anon-r--", program=FUSE,
                           env=dict(os.environ, TMPDIR=str(self.dir)))
        binary = self.found(pid).of(pid)["processes"][0]["binary"]
        self.assertNotIn("sha256", binary)
        self.assertIn("/program", binary["path"])

    def test_a_program_of_which_nothing_is_said(self):
        """Nobody waits for what its file system has to say of its file: not a
        look, and not who saves it."""
        pid = self.trouble("mute", support.PLANT, "anon-r--", program=FUSE,
                           env=dict(os.environ, TMPDIR=str(self.dir)))
        os.kill(support.children(pid)[0], signal.SIGUSR1)
        binary = self.found(pid).of(pid)["processes"][0]["binary"]
        self.assertNotIn("sha256", binary)
        self.assertIn("/program", binary["path"])
        saved = self.dir / "saved"
        result = davylamp("rules", "capture", pid, "-o", saved,
                          timeout=60)
        self.assertEqual(result.status, 0, str(result))

    def mapped(self):
        self.pid = self.p.plant("file-r--", MINER).pid
        path = next(self.dir.glob("plant.*"))
        path.unlink()
        return path, self.dir / (path.name + " (deleted)")

    def test_fifo(self):
        for path in self.mapped():
            os.mkfifo(path)
        self.found(self.pid)

    def test_symlink_to_what_never_ends(self):
        for path in self.mapped():
            path.symlink_to("/dev/zero")
        self.found(self.pid)

    @unittest.skipUnless(AS_ROOT, "needs root, to make a device")
    def test_device(self):
        for path in self.mapped():
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        self.found(self.pid)

    def test_directory(self):
        for path in self.mapped():
            path.mkdir()
        self.found(self.pid)

    def test_deeper_than_any_path_may_be(self):
        """20 KiB of folders: /proc can not name the executable."""
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, here)
        self.addCleanup(os.fchdir, here)
        os.chdir(self.dir)
        for _ in range(80):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        shutil.copy(HOSTILE, "program")
        pid = self.trouble("undumpable", program="./program")
        os.fchdir(here)
        self.found(pid)
        self.assertIn(str(pid), davylamp("scan", "--pid", pid).out)


class Texts(Look):
    def test_two_mib_of_arguments_and_environment(self):
        text = b"\xff\x1b[31m\n" * 15000
        program = [HOSTILE, b"undumpable"]
        # What the program does not take it refuses: as its own name, then.
        p = self.p.start(b"x" + text, *program[1:], executable=HOSTILE,
                         env={b"A%d" % i: text for i in range(12)},
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        result = self.found(p.pid)
        first = result.of(p.pid)["processes"][0]
        self.assertTrue(first["argumentsTruncated"])
        self.assertNotIn("\x1b", json.dumps(first, ensure_ascii=False))


class Libyara(Look):
    """Memory made for it: 16 MiB of what the rules look for."""

    def test_every_rules_strings_to_the_brim(self):
        cases = [c for c in read_cases(CASES.read_text()) if c.matches]
        data = b"".join(x + bytes(-len(x) % 16) for c in cases
                        for x in c.plants)
        self.found(self.trouble("brim", data=data))

    def test_one_rules_strings_to_the_brim(self):
        self.found(self.trouble("brim", data=MINER))

    def test_almost_a_string_to_the_brim(self):
        """Each string but for its last byte, and the payload."""
        cases = [c for c in read_cases(CASES.read_text()) if c.matches]
        data = b"".join(x[:-1] + b"\x00" for c in cases for x in c.plants)
        self.found(self.trouble("brim", data=data[:1 << 20] + MINER))

    def rules(self, text):
        path = self.dir / "hostile.yar"
        path.write_text(text)
        return ["--rules", path]

    def test_a_rule_that_does_not_end(self):
        """It is given up and named, and the others find what there is."""
        pid = self.trouble("undumpable")
        rule = ('rule Endless { strings: $a = { 53 a5 ac 6d 09 66 71 62 } '
                "condition: $a and for all i in (1..2000000000) : "
                "(for all k in (1..2000000000) : (i + k > 1)) }")
        begin = time.monotonic()
        result = davylamp("scan", "--pid", pid, "--verbose", "--timeout", 200,
                          *self.rules(rule), timeout=240)
        self.assertIn(RULE, result.out, str(result))
        self.assertIn("Endless", result.out)
        self.assertLess(time.monotonic() - begin, 200)
        self.status(result, FINDINGS)


class Confined(Look):
    """What the programs themselves may do, as the kernel says."""

    def status_of(self, pid):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        return dict(x.split(":\t", 1) for x in text.splitlines())

    def check(self, pid, capabilities):
        s = self.status_of(pid)
        self.assertEqual(s["NoNewPrivs"], "1")
        if support.SANITIZED:
            print("hint: no list of system calls is loaded: a sanitizer's "
                  "build")
        else:
            self.assertEqual(s["Seccomp"], "2")
        self.assertEqual(int(s["CapInh"], 16), 0)
        self.assertEqual(int(s["CapAmb"], 16), 0)
        for key in "CapPrm", "CapEff":
            self.assertEqual(int(s[key], 16) & ~capabilities, 0, s)
        return s

    def bits(self, *numbers):
        return sum(1 << n for n in numbers)

    def configuration(self):
        path = self.dir / "davylamp.conf"
        path.write_text(f"[spool]\npath = {self.dir}/spool\n[findings]\n"
                        f"file = none\njournal = no\nstate = {self.dir}\n"
                        f"[run]\nstatus = {self.dir}/status\n")
        return path

    def test_the_service_and_its_matchers(self):
        p = self.p.start(DAVYLAMP, "run", "--config", self.configuration())
        support.wait_for((self.dir / "status").exists, 60, "the service")
        support.wait_for(lambda: self.status_of(p.pid)["Seccomp"] == "2", 60,
                         "its filter")
        # SETUID SETGID KILL, NET_ADMIN SYS_PTRACE SYS_ADMIN SYS_RESOURCE,
        # DAC_READ_SEARCH, PERFMON BPF
        may = self.bits(2, 5, 6, 7, 12, 19, 21, 24, 38, 39)
        s = self.check(p.pid, may)
        self.assertEqual(int(s["CapBnd"], 16) & ~may, 0)
        kids = support.children(p.pid)
        self.assertEqual(len(kids), 2)
        for kid in kids:
            s = self.check(kid, 0)
            if AS_ROOT:
                self.assertEqual(s["Uid"].split(), [str(support.NOBODY)] * 4)
                self.assertNotEqual(os.readlink(f"/proc/{kid}/ns/net"),
                                    os.readlink("/proc/self/ns/net"))

    def test_the_reporter(self):
        (self.dir / "spool").mkdir()
        p = self.p.start(BUILD / "davylamp-report", "--follow", "--config",
                         self.configuration())
        support.wait_for(
            lambda: self.status_of(p.pid)["CapBnd"].strip("0\n") == "", 60,
            "its confinement")
        if not support.SANITIZED:
            support.wait_for(
                lambda: self.status_of(p.pid)["Seccomp"] == "2", 60,
                "its filter")
        s = self.check(p.pid, 0)
        self.assertEqual(int(s["CapBnd"], 16), 0)


RACERS = r"""
import ctypes, os, random, subprocess, sys, time
guilty, innocent, payload, enough, turns, seed = sys.argv[1:7]
chance = random.Random(int(seed))
data = open(payload, "rb").read()
def last_pid(n):
    try:
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(n - 1))
    except OSError:
        pass
def start():
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(r, 0)
        os.close(w)
        os.dup2(os.open("/dev/null", 1), 1)
        os.dup2(1, 2)
        os.execv(guilty, [guilty, innocent])
        os._exit(1)
    os.close(r)
    os.write(w, data)
    os.close(w)
    return pid
live, done = [], 0
turns = int(turns)
while done < turns or not os.path.exists(enough):
    while len(live) < 6:
        live.append(start())
        done += 1
    time.sleep(chance.random() * 0.002)
    pid = live.pop(chance.randrange(len(live)))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    done += 1
    # The next to begin has this pid.
    last_pid(pid)
    if chance.random() < 0.5:
        p = os.fork()
        if p == 0:
            os.execv(innocent, [innocent, "sleep"])
        live.append(p)
        done += 1
print("raced", done, flush=True)
"""


class Races(Look):
    def told(self):
        """What the scans said so far: findings, and the sums of summaries."""
        text = (self.dir / "log").read_text().rpartition("\n")[0]
        lines = [json.loads(x) for x in text.splitlines() if x[:1] == "{"]
        ends = [x["summary"] for x in lines if "summary" in x]
        return ([x for x in lines if "summary" not in x], len(ends),
                sum(x["vanished"] for x in ends))

    def test_nobody_else_is_accused(self):
        """Programs begin, become others, end, and others take their pids:
        10,000 times and more while one scan follows the other."""
        if not AS_ROOT:
            self.skipTest("needs root, for pids of its own")
        guilty, innocent = self.dir / "guilty", self.dir / "innocent"
        shutil.copy(BUILD / "tests" / "racer", guilty)
        shutil.copy(BUILD / "tests" / "racer", innocent)
        payload = self.dir / "payload"
        payload.write_bytes(MINER)
        script = self.dir / "racers.py"
        script.write_text(RACERS)
        enough = self.dir / "enough"
        turns = 10000
        # In a pid namespace of their own, scans included.
        with open(self.dir / "log", "wb") as log:
            p = self.p.start(
                "unshare", "-pf", "--mount-proc", "sh", "-c",
                'trap "" TERM; "$@" & r=$!; '
                f'while kill -0 $r 2>/dev/null; do "{DAVYLAMP}" scan --json; '
                "done; wait $r", "sh", "/usr/bin/python3", script, guilty,
                innocent, payload, enough, turns, 1, stdout=log)

        def raced():
            time.sleep(0.5)
            accused, scans, vanished = self.told()
            return scans > 50 and len(accused) > 10 and vanished > 10
        support.wait_for(lambda: raced() or p.poll() is not None, 400,
                         "enough races")
        enough.touch()
        p.wait(timeout=200)
        self.assertTrue(raced(), "the races ended early")
        wrong = []
        for finding in self.told()[0]:
            who = finding["processes"][0]
            path = who.get("binary", {}).get("path", "")
            args = who.get("args", [])
            if who["name"] != "guilty" or (path and path != str(guilty)) or (
                    args and args[0] != str(guilty)):
                wrong.append(who)
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    support.main()
