#!/usr/bin/env python3
"""Bad input, hostile names, no rights, no terminal: each has its message and
its exit status, and no target notices that it was looked at."""
import fcntl
import os
import pathlib
import pty
import random
import re
import select
import signal
import shutil
import struct
import subprocess
import termios
import time
import unicodedata
import unittest

import support
from support import (AS_ROOT, BUILD, CLEAN, DAVYLAMP, FINDINGS, INCOMPLETE,
                     MINER, ROOT, UNABLE, USAGE, Case, as_nobody, davylamp, have,
                     scan, wait_for)

GOOD_RULE = 'rule Good { strings: $a = "nowhere to be found" condition: $a }\n'
ESC = "\x1b"
FORMAT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f"
                    "\u2028-\u202e\u2060-\u2069\ufeff]")


class Bad(Case):
    def refused(self, result, *words, status=(USAGE,)):
        """Nothing on stdout, a message with @words, and @status."""
        self.assertIn(result.status, status, str(result))
        self.assertEqual(result.out, "", str(result))
        for w in words:
            self.assertIn(str(w), result.err)
        self.assertRegex(result.err, r"\Adavylamp")
        self.assertIsNone(FORMAT.search(result.err), repr(result.err))

    def alone(self):
        """The programs where anyone may start them."""
        folder = self.dir / "programs"
        if not folder.exists():
            folder.mkdir()
            for name in "davylamp", "davylamp-match":
                shutil.copy(BUILD / name, folder)
        for d in self.dir, folder:
            d.chmod(0o755)
        return folder / "davylamp"

    def run_alone(self, *args, prefix=(), **more):
        done = subprocess.run(
            [*prefix, self.alone(), *map(str, args)], capture_output=True,
            stdin=subprocess.DEVNULL, timeout=60, cwd="/", **more)
        return support.Scan(done)


class Words(Bad):
    def test_unknown_command(self):
        self.refused(davylamp("scna"), "scna")
        self.refused(davylamp("sc\x1bna"), r"sc\x1bna")

    def test_no_command(self):
        result = davylamp()
        self.status(result, USAGE)
        self.assertIn("usage:", result.err)

    def test_help(self):
        for args in ("help",), ("--help",), ("help", "scan"), \
                ("scan", "--help"), ("hash", "--help"), ("--version",):
            result = davylamp(*args)
            self.status(result, CLEAN)
            self.assertEqual(result.err, "")
            self.assertLessEqual(max(map(len, result.out.splitlines())), 80)

    def test_options(self):
        for args in (["--frobnicate"], ["--pid"], ["1"], ["--timeout"],
                     ["-z"], ["--json=yes"]):
            with self.subTest(args=args):
                result = davylamp("scan", *args)
                self.status(result, USAGE)
                self.assertIn(args[0].lstrip("-").split("=")[0], result.err)
                self.assertEqual(result.out, "")

    def test_numbers(self):
        for value in ("0", "-5", "abc", "", "12x", "0x10", "1.5",
                      "99999999999999999999", "4194305"):
            with self.subTest(pid=value):
                self.refused(scan(value), "--pid", f"'{value}'")
        for value in "0", "-1", "x", "", "1e3", "99999999999":
            with self.subTest(timeout=value):
                self.refused(davylamp("scan", "--timeout", value), "--timeout",
                             f"'{value}'")


class Rules(Bad):
    def rules(self, path, *words, status=(USAGE,), **more):
        result = davylamp("scan", "--rules", path, "--pid", os.getpid(),
                          timeout=15, **more)
        self.refused(result, *words, "Nothing was scanned", status=status)
        return result

    def write(self, name, text):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def test_syntax_error(self):
        path = self.write("bad.yar", GOOD_RULE + "\nrule Bad { condition: }\n")
        self.rules(path, path, "line 3", "syntax error")
        self.rules(path.parent, path, "line 3")
        result = davylamp("scan", "--json", "--rules", path)
        self.refused(result, path, "line 3", "Nothing was scanned")

    def test_errors_of_other_kinds(self):
        for text, word in (
                ("rule A { condition: undefined_thing }", "undefined_thing"),
                ('import "nosuchmodule"\nrule A { condition: true }',
                 "nosuchmodule"),
                ('rule A { strings: $a = "x" condition: true }', "$a"),
                ("rule A { strings: $a = /(/ condition: $a }", "$a"),
                ("rule A { condition: true }\nrule A { condition: true }",
                 "line 2"),
                ('include "nosuchfile.yar"', "nosuchfile.yar"),
                ('rule A { meta: where = "heap" condition: true }', "heap"),
                ("ru\x1ble", "line 1")):
            with self.subTest(text=text):
                self.rules(self.write("a.yar", text), word)

    def test_one_bad_file_among_good(self):
        for i in range(5):
            self.write(f"{i}.yar", GOOD_RULE.replace("Good", f"Good{i}"))
        self.write("3.yar", "rule { }")
        self.rules(self.dir, self.dir / "3.yar", "line 1")

    def test_what_rules_can_not_have_is_said(self):
        path = self.write("a.yar", """
            rule Short { strings: $a = "qz" condition: #a > 99999999 }
            rule Pe { strings: $a = "abcdefgh" condition:
                      uint16(0) == 0x5a4d and $a }""")
        only = "--no-default-rules", path
        done = davylamp("rules", "check", *only)
        self.assertEqual(done.status, FINDINGS)
        self.assertRegex(done.out, r"slow +Short: must see every page: fewer")
        self.assertRegex(done.out, r"undefined +Pe: uintN\(\) or intN\(\)")
        self.assertRegex(done.out, r"every page +all rules with where = image")
        done = davylamp("scan", "--no-default-rules", "--rules", path, "--pid",
                        os.getpid())
        self.assertIn("1 rule must see every page, which is as slow as "
                      "libyara;\ndavylamp rules check names it (Short)",
                      done.err)
        self.assertIn("1 rule would need a file: uint16(0), filesize or a "
                      "module;\ndavylamp rules check names it (Pe)", done.err)

    def test_not_there(self):
        self.rules(self.dir / "none", self.dir / "none", "No such file",
                   status=(USAGE, UNABLE))
        self.rules("", "empty", status=(USAGE, UNABLE))

    def test_empty_directory(self):
        empty = self.dir / "empty"
        empty.mkdir()
        self.rules(empty, empty, ".yar", status=(USAGE, UNABLE))

    def test_fifo(self):
        os.mkfifo(self.dir / "fifo.yar")
        self.rules(self.dir / "fifo.yar", "regular file")
        self.rules(self.dir, "regular file")

    def test_fifo_included(self):
        os.mkfifo(self.dir / "fifo")
        path = self.write("a.yar", f'include "{self.dir}/fifo"\n' + GOOD_RULE)
        self.rules(path, "fifo", status=(USAGE, UNABLE))

    def test_compiled(self):
        if not have("yarac"):
            self.skipTest("no yarac")
        source = self.write("source", GOOD_RULE)
        subprocess.run(["yarac", source, self.dir / "compiled.yar"],
                       check=True)
        self.rules(self.dir / "compiled.yar", "compiled", "source")

    def test_no_text(self):
        self.rules(self.write("a.yar", b"rule A \0 { condition: true }"),
                   "NUL")
        self.rules("/dev/zero", "regular file")

    def test_unreadable(self):
        if not AS_ROOT:
            self.skipTest("needs root, to become nobody")
        path = self.write("a.yar", GOOD_RULE)
        path.chmod(0o600)
        result = self.run_alone("scan", "--rules", path, prefix=as_nobody())
        self.refused(result, path, "Permission denied", "Nothing was scanned",
                     status=(USAGE, UNABLE))

    def test_hostile_file_name(self):
        path = self.write("a\x1b[31m\n\u202e.yar", "rule")
        self.rules(path, r"a\x1b[31m\x0a")

    def test_empty_file_is_no_error(self):
        path = self.write("a.yar", "")
        result = scan(self.p.plant("anon-r--", b"x").pid,
                      args=["--rules", path])
        self.status(result, CLEAN)

    def test_own_rules_beside_and_instead_of_the_built_in(self):
        path = self.write("a.yar", 'rule Own { meta: where = "any" strings: '
                          '$a = "a needle for davylamp" condition: $a }\n')
        data = MINER + b"a needle for davylamp"
        pid = self.p.plant("file-r--", data).pid
        both = scan(pid, args=["--rules", path])
        self.assertIn("Own", both.rules_of(pid))
        self.assertIn("RandomX_AES_Keys", both.rules_of(pid))
        own = scan(pid, args=["--rules", path, "--no-default-rules"])
        self.assertEqual(own.rules_of(pid), ["Own"])
        none = scan(pid, args=["--no-default-rules"])
        self.assertEqual(none.rules_of(pid), [], str(none))


class HashSets(Bad):
    def setUp(self):
        super().setUp()
        self.set = self.dir / "good.set"
        lists = sorted((ROOT / "hashes").glob("*randomx-benchmark*.tsv"))
        result = davylamp("hash", "build", "-o", self.set, *lists)
        self.status(result, CLEAN)

    def refuse(self, path, *words):
        result = davylamp("scan", "--hashes", path, "--pid", os.getpid(),
                          timeout=30)
        self.refused(result, path, *words)
        self.refused(davylamp("hash", "info", path, timeout=30), path,
                     status=(USAGE, UNABLE))

    def changed(self, data):
        path = self.dir / "bad.set"
        path.write_bytes(data)
        return path

    def test_good(self):
        self.status(davylamp("hash", "info", self.set), CLEAN)
        pid = self.p.plant("anon-r--", b"x").pid
        self.status(scan(pid, args=["--hashes", self.set]), CLEAN)

    def test_foreign(self):
        self.refuse("/etc/passwd")
        self.refuse(DAVYLAMP)
        self.refuse(self.changed(b""))
        self.refuse(self.changed(b"x"))
        self.refuse(self.changed(bytes(4096)))

    def test_truncated_and_lengthened(self):
        good = self.set.read_bytes()
        for n in (1, 8, 63, 64, 65, len(good) // 2, len(good) - 1):
            with self.subTest(n=n):
                self.refuse(self.changed(good[:n]))
        self.refuse(self.changed(good + b"\0"))

    def test_damaged(self):
        good = self.set.read_bytes()
        chance = random.Random(1)
        places = [*range(0, 64, 3),
                  *(chance.randrange(len(good)) for _ in range(40))]
        for at in places:
            with self.subTest(at=at):
                bad = bytearray(good)
                bad[at] ^= 1 << chance.randrange(8)
                result = davylamp("hash", "info", self.changed(bad))
                self.refused(result, self.dir / "bad.set",
                             status=(USAGE, UNABLE))
        self.refuse(self.dir / "bad.set")

    def test_not_a_file(self):
        os.mkfifo(self.dir / "fifo")
        self.refuse(self.dir / "fifo")
        self.refuse(self.dir)
        self.refuse(self.dir / "none", "No such file")
        self.refuse("/dev/zero")

    def test_hostile_file_name(self):
        path = self.dir / "a\x1b[31m\n.set"
        path.write_bytes(b"x")
        self.refused(davylamp("scan", "--hashes", path), r"a\x1b[31m\x0a")


class Pids(Bad):
    def test_gone(self):
        p = self.p.start("true")
        p.wait()
        result = scan(p.pid)
        self.status(result, INCOMPLETE)
        self.assertIn(f"no process {p.pid}", result.err)
        self.assertEqual(result.summary["clean"], 0)

    def test_kernel_thread(self):
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[6]) & 0x200000:
                break
        else:
            self.skipTest("no kernel thread is to be seen here")
        result = scan(stat.parent.name)
        self.status(result, INCOMPLETE)
        self.assertIn("kernel thread", result.err)

    def test_zombie(self):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        self.addCleanup(os.waitpid, pid, 0)
        stat = pathlib.Path(f"/proc/{pid}/stat")
        wait_for(lambda: ") Z " in stat.read_text(), what="a zombie")
        result = scan(pid)
        self.status(result, INCOMPLETE)
        self.assertIn("zombie", result.err)

    def test_good_beside_gone(self):
        p = self.p.start("true")
        p.wait()
        good = self.p.plant("anon-r--", b"x").pid
        result = scan(p.pid, good)
        self.status(result, INCOMPLETE)
        self.assertEqual(result.summary["clean"], 1)

    def test_named_twice_is_looked_at_once(self):
        pid = self.p.plant("file-r--", MINER).pid
        result = scan(pid, pid)
        self.assertEqual(len(result.findings), 1, str(result))

    def test_stopped_process(self):
        p = self.p.plant("file-r--", MINER)
        os.kill(p.pid, signal.SIGSTOP)
        result = scan(p.pid, timeout=20)
        self.assertIn("RandomX_AES_Keys", result.rules_of(p.pid))
        stat = pathlib.Path(f"/proc/{p.pid}/stat").read_text()
        self.assertIn(") T ", stat)

    def test_exits_while_looked_at(self):
        """200 miners that end at any moment: never one of them is clean."""
        data = MINER + random.Random(7).randbytes(2 << 20)
        chance = random.Random(8)
        states = {}
        for _ in range(8):
            ps = [self.p.plant("file-r--", data) for _ in range(25)]
            names = [x for p in ps for x in ("--pid", p.pid)]
            begin = time.monotonic()
            run = subprocess.Popen(
                [DAVYLAMP, "scan", "--verbose", *map(str, names)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            # The scan takes a fraction of a second; so do these.
            ends = sorted(chance.random() * 0.5 for _ in ps)
            for at, p in zip(ends, chance.sample(ps, len(ps))):
                time.sleep(max(0, begin + at - time.monotonic()))
                p.kill()
                p.wait()
            out, err = run.communicate(timeout=60)
            out, err = out.decode(), err.decode()
            self.assertNotEqual(run.returncode, CLEAN, out + err)
            self.assertIn(run.returncode, (FINDINGS, INCOMPLETE), out + err)
            summary = re.search(r"(\d+) finding.*?, (\d+) clean", out)
            self.assertIsNotNone(summary, out + err)
            self.assertEqual(summary[2], "0", out + err)
            for word in ("no process", "zombie", "ended", "finding"):
                states[word] = states.get(word, 0) + (
                    out.count(f" {word}") + err.count(word))
            self.p.close()
            self.p.__init__()
            self.addCleanup(self.p.close)
        # It must have hit the middle of looks, not only their edges.
        self.assertGreater(states["no process"], 0, states)

    def test_scan_ends_before_the_matcher_is_orphaned(self):
        """Killed at any moment, davylamp leaves no process behind."""
        pid = self.p.plant("anon-rw-", random.Random(3).randbytes(12 << 20)
                           ).pid
        for delay in 0.01, 0.05, 0.1:
            run = self.p.start(DAVYLAMP, "scan", *["--pid", pid] * 40)
            time.sleep(delay)
            kids = support.children(run.pid)
            run.kill()
            run.wait()
            wait_for(lambda: not any(os.path.exists(f"/proc/{k}/exe")
                                     for k in kids), 10, "the matcher's end")


class Limits(Bad):
    def slow(self, regex):
        """Processes and rules that take libyara long."""
        path = self.dir / "slow.yar"
        path.write_text("".join(
            f"rule Slow{i} {{ strings: $a = /{regex}{'!' * i}/ "
            "condition: $a }\n" for i in range(4)))
        text = bytes(random.Random(2).choices(b"abcdefghijklmnop", k=1 << 20))
        return path, [self.p.plant("file-r--", text * 15).pid
                      for _ in range(2)]

    def test_timeout(self):
        path, pids = self.slow("a[a-p]{9,60}Q[a-p]{9}Q")
        begin = time.monotonic()
        result = scan(*pids, args=["--timeout", 1, "--rules", path])
        self.assertLess(time.monotonic() - begin, 10)
        self.status(result, INCOMPLETE)
        self.assertGreater(result.summary["partial"], 0, str(result))
        result = davylamp("scan", "--timeout", 1, "--rules", path,
                          "--pid", pids[0], "--pid", pids[1])
        self.status(result, INCOMPLETE)
        self.assertIn("time limit", " ".join(result.out.split()))

    def test_timeout_with_the_worst_of_rules(self):
        """A MiB takes this one half a minute."""
        path, pids = self.slow("a.{0,300}b.{0,300}c.{0,300}Z[a-p]{9}Q")
        begin = time.monotonic()
        result = scan(*pids, args=["--timeout", 1, "--rules", path])
        self.assertLess(time.monotonic() - begin, 10)
        self.status(result, INCOMPLETE)

    def test_no_matcher(self):
        if os.path.exists("/usr/local/libexec/davylamp/davylamp-match"):
            self.skipTest("davylamp is installed here")
        program = self.alone()
        (program.parent / "davylamp-match").unlink()
        self.refused(self.run_alone("scan"), "davylamp-match",
                     status=(UNABLE,))

    def test_matcher_that_is_none(self):
        program = self.alone()
        match = program.parent / "davylamp-match"
        for text in ("exit 0", "exit 1", "kill -SEGV $$", "echo x >&3"):
            with self.subTest(text=text):
                match.write_text(f"#!/bin/sh\n{text}\n")
                self.refused(self.run_alone("scan"), status=(UNABLE,))

    def test_output_is_full(self):
        pid = self.p.plant("file-r--", MINER).pid
        with open("/dev/full", "w") as full:
            for words in (), ("--json",):
                done = subprocess.run(
                    [DAVYLAMP, "scan", *words, "--pid", str(pid)],
                    stdout=full, stderr=subprocess.PIPE, timeout=60)
                self.assertEqual(done.returncode, UNABLE,
                                 f"{words}: {done.stderr}")

    def test_reader_is_gone(self):
        pid = self.p.plant("file-r--", MINER).pid
        ours, theirs = os.pipe()
        os.close(ours)
        done = subprocess.run([DAVYLAMP, "scan", "--json", "--pid", str(pid)],
                              stdout=theirs, stderr=subprocess.PIPE,
                              timeout=60)
        os.close(theirs)
        self.assertGreaterEqual(done.returncode, 0, "killed by a signal")

    def test_no_descriptors(self):
        """Started with 0, 1, 2 closed."""
        pid = self.p.plant("file-r--", MINER).pid
        done = subprocess.run(["bash", "-c", 'exec "$0" scan --pid "$1" '
                               "<&- >&- 2>&-", DAVYLAMP, str(pid)], timeout=60)
        self.assertGreaterEqual(done.returncode, 0, "killed by a signal")


class NoRights(Bad):
    def setUp(self):
        super().setUp()
        if not AS_ROOT:
            self.skipTest("needs root, to become nobody")

    def test_all_processes(self):
        ours = self.p.plant("file-r--", MINER).pid
        result = self.run_alone("scan", prefix=as_nobody())
        self.status(result, INCOMPLETE, FINDINGS)
        text = " ".join(result.out.split())
        self.assertRegex(text, r"[1-9]\d* process(es)? of other users could "
                               "not be read")
        self.assertIn("sudo davylamp scan", text)
        result = self.run_alone("scan", "--json", prefix=as_nobody())
        self.assertIsNone(result.of(ours))
        self.assertGreater(result.summary["denied"], 0)

    def test_own_process_is_found(self):
        p = self.p.start(*as_nobody(), support.PLANT, "anon-rwx",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         cwd="/")
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        result = self.run_alone("scan", "--json", "--pid", p.pid,
                                prefix=as_nobody())
        self.status(result, FINDINGS)
        self.assertIn("RandomX_AES_Keys", result.rules_of(p.pid))

    def test_one_of_others(self):
        pid = self.p.plant("file-r--", MINER).pid
        result = self.run_alone("scan", "--pid", pid, prefix=as_nobody())
        self.status(result, INCOMPLETE)
        self.assertIn("not permitted", " ".join(result.out.split()))
        self.assertIn(str(pid), result.out)
        self.assertNotIn("1 clean", result.out)


def columns(line):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


class Terminal(Bad):
    def in_terminal(self, *args, width=80, **env):
        """What davylamp writes to a terminal of @width."""
        try:
            ours, theirs = pty.openpty()
        except OSError as e:  # a chroot without /dev/pts
            self.skipTest(f"no terminal to be had: {e}")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, width, 0, 0))
        p = self.p.start(DAVYLAMP, *args, stdin=theirs, stdout=theirs,
                         stderr=theirs, env=dict(os.environ, **env))
        os.close(theirs)
        out = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            out += more
        os.close(ours)
        p.wait()
        return p.returncode, out.decode("utf-8", "backslashreplace")

    def target(self):
        """A finding whose every field is long."""
        deep = self.dir / ("d" * 90) / ("e" * 100 + "\u6f22\u5b57" * 20)
        deep.mkdir(parents=True)
        program = deep / ("a program " + "p" * 80)
        shutil.copy(support.PLANT, program)
        p = self.p.start(f"an argument {'x' * 300}", "--name",
                         "n" * 15, "file-r--", executable=program,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=dict(os.environ, TMPDIR=str(deep)))
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        return p.pid

    def test_80_columns(self):
        pid = self.target()
        for words in (), ("--verbose",):
            status, out = self.in_terminal("scan", *words, "--pid", str(pid))
            self.assertEqual(status, FINDINGS, out)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
            for line in re.split(r"[\r\n]+", plain):
                self.assertLessEqual(columns(line), 80, line)

    def test_80_columns_whole_machine(self):
        status, out = self.in_terminal("scan", "--verbose")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        for line in re.split(r"[\r\n]+", plain):
            self.assertLessEqual(columns(line), 80, line)

    def test_without_a_terminal_80_columns_too(self):
        result = davylamp("scan", "--verbose", "--pid", self.target())
        for line in result.out.splitlines():
            self.assertLessEqual(columns(line), 80, line)

    def test_40_columns(self):
        status, out = self.in_terminal("scan", "--pid", str(self.target()),
                                       width=40)
        self.assertEqual(status, FINDINGS, out)

    def test_colour_only_where_wanted(self):
        pid = str(self.p.plant("file-r--", MINER).pid)
        self.assertIn(ESC, self.in_terminal("scan", "--pid", pid,
                                            TERM="xterm")[1])
        self.assertNotIn(ESC, self.in_terminal("scan", "--pid", pid,
                                               NO_COLOR="1")[1])
        self.assertNotIn(ESC, self.in_terminal("scan", "--json", "--pid", pid
                                               )[1])
        result = davylamp("scan", "--pid", pid)
        self.assertNotIn(ESC, result.out + result.err)

    def test_progress(self):
        """On a terminal only, and wiped at the end."""
        data = random.Random(4).randbytes(14 << 20)
        pids = [self.p.plant("anon-r--", data).pid for _ in range(3)]
        words = [str(x) for p in pids for x in ("--pid", p)]
        self.assertNotIn("\r", davylamp("scan", *words).err)
        status, out = self.in_terminal("scan", *words)
        last = out.rstrip("\r\n").rsplit("\n", 1)[1]
        self.assertNotIn("[#", last)


HOSTILE = {
    "newline": b"a\nLOW    Execution: forged\n",
    "escape": b"\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "c1": "\u009b31m".encode() + b"\x9b31m",
    "invalid": b"\xff\xfe\xc3\x28\xed\xa0\x80\xf8\x88",
    "bidi": "\u202egpj.exe\u2066\u200b\ufeff".encode(),
    "delete": b"\x7f\x08\x08\x08\r",
    "quotes": b"\"}],\"x\":[{\"' \\",
    "percent": b"%s%n%n%x",
}


class Hostile(Bad):
    def check(self, result):
        for text, raw in ((result.bytes, "stdout"), (result.err.encode(),
                                                     "stderr")):
            try:
                decoded = text.decode("utf-8")
            except UnicodeDecodeError as e:
                self.fail(f"{raw} is no UTF-8: {e}: {text!r}")
            found = FORMAT.search(decoded)
            self.assertIsNone(found, f"{raw}: {found and found[0]!r} in "
                                     f"{decoded!r}")

    def values(self, thing):
        if isinstance(thing, dict):
            for k, v in thing.items():
                yield k
                yield from self.values(v)
        elif isinstance(thing, list):
            for v in thing:
                yield from self.values(v)
        elif isinstance(thing, str):
            yield thing

    def hostile(self, text):
        """A miner whose name, arguments, executable and files are @text."""
        folder = os.path.join(os.fsencode(self.dir), b"d" + text)
        os.mkdir(folder)
        program = os.path.join(folder, b"p" + text)
        shutil.copy(support.PLANT, program)
        env = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
        p = self.p.start(text, b"--name", text[:15], b"file-r--",
                         executable=program, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, env=dict(env, TMPDIR=folder))
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        return p


def add_hostile(name, text):
    def test(self):
        pid = self.hostile(text).pid
        for words in ([], ["--verbose"]):
            result = davylamp("scan", *words, "--pid", pid)
            self.status(result, FINDINGS)
            self.check(result)
            self.assertNotIn("\nLOW    Execution: forged", result.out)
        result = scan(pid)
        self.status(result, FINDINGS)
        self.check(result)
        for value in self.values(result.findings):
            self.assertIsNone(FORMAT.search(value), repr(value))
            self.assertNotIn("\n", value)
        self.assertEqual(len(result.lines), 2)
        # Not found, but shown all the same.
        none = self.dir / "none.yar"
        none.write_text("rule None { condition: false }")
        result = davylamp("scan", "--verbose", "--no-default-rules",
                          "--rules", none, "--pid", pid)
        self.check(result)
        result = davylamp("hash", "query", pid)
        self.check(result)
    setattr(Hostile, f"test_{name}", test)


for _name, _text in HOSTILE.items():
    add_hostile(_name, _text)


FORKED = r"""
import ctypes, mmap, os, signal, sys
ctypes.CDLL(None).prctl(1, 9)
m = mmap.mmap(-1, 48 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(0, 16 << 20, 4096):
    m[i] = 1 + i // 4096 % 200
parent = os.getpid()
child = os.fork()
if child == 0:
    ctypes.CDLL(None).prctl(1, 9)
    signal.pause()
print("ready", child, flush=True)
signal.pause()
"""


class Target(Bad):
    KEPT = ("Rss", "Pss_Anon", "Anonymous", "Private_Dirty", "Shared_Dirty",
            "Swap", "SwapPss", "AnonHugePages", "Locked")

    def memory(self, pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return {k: v for k, v in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)
                if k in self.KEPT}

    def test_memory_is_as_before(self):
        """Neither absent pages nor those shared by fork grow."""
        p = self.p.start("python3", "-c", FORKED, stdout=subprocess.PIPE)
        child = int(self.p.ready(p).split()[1])
        time.sleep(0.3)
        before = self.memory(p.pid), self.memory(child)
        result = scan(p.pid, child)
        self.status(result, CLEAN)
        self.assertEqual((self.memory(p.pid), self.memory(child)), before)
        self.assertGreater(result.summary["readBytes"], 15 << 20)
        # What fork shares is read once where frames can be told apart.
        self.assertLess(result.summary["readBytes"], 64 << 20)

    def test_fifo_in_place_of_a_mapped_file(self):
        p = self.p.plant("file-r--", MINER)
        mapped = next(self.dir.glob("plant.*"))
        mapped.unlink()
        os.mkfifo(mapped)
        result = scan(p.pid, timeout=20)
        self.assertIn("RandomX_AES_Keys", result.rules_of(p.pid))

    def test_no_named_path_is_opened(self):
        if not have("strace"):
            self.skipTest("no strace")
        folder = self.dir / "a-name-that-betrays"
        folder.mkdir()
        shutil.copy(support.PLANT, folder / "program")
        p = self.p.start(folder / "program", "file-r--",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=dict(os.environ, TMPDIR=str(folder)))
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        log = self.dir / "trace"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-s", "4096", "-o", log, "-e",
             "trace=open,openat,openat2,creat,execve,stat,lstat,newfstatat,"
             "statx,access,faccessat,chdir,connect", DAVYLAMP, "scan",
             "--json", "--pid", str(p.pid)], capture_output=True, timeout=60)
        trace = log.read_text(errors="replace")
        if "openat" not in trace:
            self.skipTest("strace may not trace here: " +
                          done.stderr.decode(errors="replace")[:100])
        self.assertEqual(done.returncode, FINDINGS, done.stderr)
        self.assertIn(b"a-name-that-betrays", done.stdout)
        bad = [x for x in trace.splitlines() if "a-name-that-betrays" in x]
        self.assertEqual(bad, [])
        self.assertNotIn("AF_INET", trace, "a scan uses no network")
        written = re.findall(r'open(?:at)?\([^"]*"([^"]*)", [^)]*'
                             r"(?:O_WRONLY|O_RDWR|O_CREAT)", trace)
        self.assertEqual([w for w in written if not w.startswith("/dev/")], [])


if __name__ == "__main__":
    support.main()
