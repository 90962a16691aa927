#!/usr/bin/env python3
"""A miner that hides is found all the same, and its hiding is in the finding:
real RandomX, hidden by mounts, by a preloaded library, in a pid namespace.
Nothing is mounted where others could see it: in a mount namespace of its own
each time."""
import os
import pathlib
import subprocess
import unittest

import support
from support import (AS_ROOT, BUILD, CLEAN, FINDINGS, INCOMPLETE, Case,
                     davylamp, have, wait_for)

DRIVER = BUILD / "tests" / "randomx_driver"
PRELOAD = BUILD / "tests" / "preload_hide.so"
SEES = 'status=$?; ps -eo pid= | grep -qw "$1" && echo "ps sees it" >&2; exit'


def scan_with(how, pid, *args, env=None):
    """`davylamp scan` of all in a mount namespace where @how was done."""
    script = f'{how} && "$0" scan "${{@:2}}"; {SEES} $status'
    return davylamp_in(["unshare", "-m", "--propagation", "private", "bash",
                        "-c", script], pid, *args, env=env)


def davylamp_in(prefix, pid, *args, env=None):
    done = subprocess.run([*prefix, str(support.DAVYLAMP), str(pid), *args],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300,
                          env=dict(os.environ, **(env or {})))
    return support.Scan(done)


@unittest.skipUnless(AS_ROOT, "not root: nothing can be mounted")
class Hidden(Case):
    def mine(self):
        p, pid = self.p.offline(DRIVER, "interpreter", stdout=subprocess.PIPE,
                                seconds=300)
        self.p.ready(p)
        return pid

    def check(self, how, word, env=None):
        """Found by --json and in words, with @word about how it hides."""
        pid = self.mine()
        result = scan_with(how, pid, "--json", env=env)
        self.status(result, FINDINGS)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertIn(word, f["sourceProperties"]["hidden"])
        self.assertEqual(f["severity"], "HIGH")
        self.assertIn("it hides", f["description"])
        self.assertGreaterEqual(result.summary["hidden"], 1)
        self.assertNotIn("ps sees it", result.err)
        text = scan_with(how, pid, env=env)
        self.status(text, FINDINGS)
        for x in ("hidden: ", word, f"{pid} ", " hidden"):
            self.assertIn(x, " ".join(text.out.split()), str(text))

    def test_bind_mount(self):
        self.check('mount --bind /proc/$$ "/proc/$1"', "mounted over")

    def test_tmpfs(self):
        self.check('mount -t tmpfs none "/proc/$1"', "mounted over")

    def test_preloaded_library(self):
        pid = self.mine()
        env = {"LD_PRELOAD": str(PRELOAD), "HIDE_PID": str(pid)}
        self.assertNotIn(str(pid), subprocess.run(
            ["ls", "/proc"], env=dict(os.environ, **env), check=True,
            stdout=subprocess.PIPE, text=True).stdout.split())
        result = davylamp("scan", "--json", env=dict(os.environ, **env))
        self.status(result, FINDINGS)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertIn("preloaded", f["sourceProperties"]["hidden"])
        self.assertEqual(result.summary["hidden"], 1, str(result))

    def test_no_list_has_it(self):
        """As a kernel module does it: by the kernel's own list of tasks it
        is known all the same."""
        doctor = davylamp("doctor").out
        if "ok  tasks" not in doctor:
            self.skipTest("no BPF iterator here: " + doctor)
        pid = self.mine()
        env = dict(os.environ, HIDE_PID=str(pid), LD_PRELOAD=str(
            BUILD / "tests" / "preload_list.so"))
        result = davylamp("scan", "--json", env=env)
        self.status(result, FINDINGS)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertIn("the kernel has it", f["sourceProperties"]["hidden"])
        self.assertEqual(result.summary["hidden"], 1, str(result))

    def test_file_of_it_is_covered(self):
        self.check('mount --bind /dev/null "/proc/$1/cmdline" '
                   '&& mount --bind /proc/$$ "/proc/$1"', "mounted over")

    def test_pid_namespace(self):
        """It has other ids there; from here it is a process like others."""
        p, _ = self.p.offline("unshare", "-p", "-f", "--mount-proc", DRIVER,
                              "interpreter", stdout=subprocess.PIPE)
        self.p.ready(p)
        result = davylamp("scan", "--json")
        self.status(result, FINDINGS)
        found = [f for f in result.findings if
                 f["processes"][0]["binary"]["path"] == str(DRIVER)]
        self.assertTrue(found, str(result))
        self.assertNotIn("hidden", found[0]["sourceProperties"])

    def test_hidden_and_no_miner(self):
        """No finding, but a line and a count."""
        p = self.p.start("sleep", "120")
        how = 'mount -t tmpfs none "/proc/$1"'
        text = scan_with(how, p.pid)
        self.assertIn("hidden (something is mounted over", " ".join(
            text.out.split()), str(text))
        self.assertIn("1 hidden", text.out, str(text))
        result = scan_with(how, p.pid, "--json")
        self.assertIsNone(result.of(p.pid), str(result))
        self.assertEqual(result.summary["hidden"], 1)

    @unittest.skipUnless(have("setpriv"), "no setpriv")
    def test_without_a_procfs_of_our_own(self):
        """What can not be looked at is said, and the scan is incomplete."""
        pid = self.mine()
        how = ('mount -t tmpfs none "/proc/$1" && d=$0 && '
               'set -- "$1" "${@:2}" && exec setpriv --bounding-set '
               '-sys_admin,-bpf,-perfmon --inh-caps -sys_admin "$d" scan')
        result = scan_with(how, pid)
        self.assertIn(f"process {pid} is hidden", result.err, str(result))
        self.status(result, INCOMPLETE, FINDINGS)

    def test_hidepid(self):
        """The host's /proc hides others' processes from who lacks
        CAP_SYS_PTRACE; a procfs of our own has no such option."""
        result = scan_with("mount -t proc -o hidepid=2 proc /proc", os.getpid(),
                           "--json", "--pid", str(os.getpid()))
        self.status(result, CLEAN)
        self.assertEqual(result.summary["processes"], 1)

    def test_nothing_is_mounted_by_us(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        davylamp("scan", "--pid", os.getpid())
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(),
                         before)


@unittest.skipUnless(AS_ROOT, "not root: no network namespace")
class Connections(Case):
    def test_in_the_finding(self):
        """A process with RandomX's constants that is connected to a port of
        loopback, in a network namespace of its own."""
        script = """
import fcntl, os, socket, struct, sys
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS: up
s.bind(("127.0.0.1", 3333)); s.listen()
c = socket.create_connection(("127.0.0.1", 3333))
for x in s, c: x.set_inheritable(True)
os.execv(sys.argv[1], [sys.argv[1], "interpreter"])
"""
        p, pid = self.p.offline("python3", "-c", script, DRIVER,
                                stdout=subprocess.PIPE)
        self.p.ready(p)
        result = davylamp("scan", "--json", "--pid", pid)
        self.status(result, FINDINGS)
        f = result.of(pid)
        self.assertEqual(
            [(c["destinationIp"], c["destinationPort"], c["protocol"])
             for c in f["connections"] if c["destinationPort"] == 3333],
            [("127.0.0.1", 3333, "TCP")], str(result))
        self.assertNotIn("ipAddresses", f["indicator"])  # loopback
        text = davylamp("scan", "--pid", pid)
        self.assertIn("connection  127.0.0.1 port 3333", text.out)


if __name__ == "__main__":
    support.main()
