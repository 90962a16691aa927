#!/usr/bin/env python3
"""Signed updates: what minisign signed is taken wholly, everything else is
refused, and what is in use stays.  In a mount namespace of its own: keys and
state of this machine are not touched."""
import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import support
from support import (AS_ROOT, BUILD, CLEAN, UNABLE, USAGE,
                     Processes, as_nobody, davylamp)

KEYS = pathlib.Path("/etc/davylamp/keys")
STATE = pathlib.Path("/var/lib/davylamp")
NEWER = 20990101  # than what is built in
WORDS = "davylamp signed updates, tested from end to end"


def private_mounts():
    """True: from now on what is mounted is ours alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not AS_ROOT or libc.unshare(0x20000):  # CLONE_NEWNS
        return False
    mount = ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs"]
    for d in (KEYS.parent, STATE):
        d.mkdir(parents=True, exist_ok=True)
        if (subprocess.run(["mount", "--make-rprivate", "/"]).returncode or
                subprocess.run([*mount, str(d)]).returncode):
            return False
    return True


PRIVATE = private_mounts()


@unittest.skipUnless(shutil.which("minisign"), "no minisign")
@unittest.skipUnless(PRIVATE, "needs root and a mount namespace")
class Updates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="davylamp-e2e."))
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        for name in ("ours", "foreign"):
            subprocess.run(["minisign", "-G", "-W", "-p", cls.dir /
                            f"{name}.pub", "-s", cls.dir / f"{name}.key"],
                           check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def setUp(self):
        for d in (KEYS, STATE / "rules", STATE / "hashes"):
            shutil.rmtree(d, ignore_errors=True)
        KEYS.mkdir()
        shutil.copy(self.dir / "ours.pub", KEYS)
        self.rules = self.dir / "rules.yar"
        self.write()

    def write(self, text=None):
        self.rules.write_text(text or
                              'rule Signed { meta: family = "Test" where = '
                              f'"any" strings: $a = "{WORDS}" '
                              'condition: $a }\n')

    def sign(self, version, *options, key="ours", file=None, kind="rules"):
        subprocess.run(["minisign", "-S", "-s", self.dir / f"{key}.key",
                        "-m", file or self.rules, "-t",
                        f"davylamp {kind} {version}", *options], check=True,
                       stdout=subprocess.DEVNULL)

    def install(self, *args, kind="rules"):
        return davylamp(kind, "install", *(args or [self.rules]))

    def in_use(self):
        """The versions that are there, and nothing beside them."""
        d = STATE / "rules"
        return sorted(os.listdir(d)) if d.exists() else []

    def refused(self, done, *words):
        self.assertEqual(done.status, USAGE, done)
        for w in words:
            self.assertIn(w, done.err)
        self.assertNotIn(".incoming", self.in_use())

    def test_is_used_from_then_on(self):
        self.sign(NEWER)
        done = self.install()
        self.assertEqual(done.status, CLEAN)
        self.assertIn("systemctl reload davylamp", done.out)
        self.assertEqual(self.in_use(), [str(NEWER)])
        listed = davylamp("rules", "list").out
        self.assertIn("Signed", listed)
        self.assertNotIn("RandomX", listed)
        with Processes() as p:
            planted = p.plant("anon-rw-", WORDS.encode() * 3, busy=True)
            done = davylamp("scan", "--json", "--pid", planted.pid)
            self.assertEqual(done.rules_of(planted.pid), ["Signed"], done)
        # beside the user's own, and not if he says so
        own = self.dir / "own.yar"
        own.write_text('rule Own { strings: $a = "an own rule" '
                       'condition: $a }')
        listed = davylamp("rules", "list", own).out
        self.assertIn("Own", listed)
        self.assertIn("Signed", listed)
        listed = davylamp("rules", "list", "--no-default-rules", own).out
        self.assertNotIn("Signed", listed)

    def test_both_kinds_of_signature(self):
        self.sign(NEWER, "-l")
        self.assertEqual(self.install().status, CLEAN)
        self.sign(NEWER + 1)
        self.assertEqual(self.install().status, CLEAN)
        self.assertEqual(self.in_use(), [str(NEWER + 1)])

    def test_signature_elsewhere(self):
        self.sign(NEWER, "-x", self.dir / "elsewhere")
        pathlib.Path(f"{self.rules}.minisig").unlink(missing_ok=True)
        self.refused(self.install(), "No such file")
        done = self.install(self.rules, self.dir / "elsewhere")
        self.assertEqual(done.status, CLEAN, done)

    def test_versions_do_not_go_back(self):
        self.sign(NEWER)
        self.assertEqual(self.install().status, CLEAN)
        self.refused(self.install(), "already")
        self.sign(NEWER - 1)
        self.refused(self.install(), "older", "do not go back")
        self.sign(7)  # older than what is built in
        self.refused(self.install(), "older")
        self.assertEqual(self.in_use(), [str(NEWER)])
        self.sign(NEWER + 5)
        self.assertEqual(self.install().status, CLEAN)
        self.assertEqual(self.in_use(), [str(NEWER + 5)])

    def test_without_a_key_nothing_is_taken(self):
        self.sign(NEWER)
        (KEYS / "ours.pub").unlink()
        self.refused(self.install(), "no key is trusted")
        KEYS.rmdir()
        self.refused(self.install(), "no key is trusted")

    def test_a_foreign_key(self):
        self.sign(NEWER, key="foreign")
        self.refused(self.install(), "none of the 1")
        # the same id, another key
        ours = (KEYS / "ours.pub").read_text().splitlines()
        foreign = (self.dir / "foreign.pub").read_text().splitlines()
        (KEYS / "ours.pub").write_text(
            f"{ours[0]}\n{foreign[1][:14]}{ours[1][14:]}\n")
        self.refused(self.install())

    def test_keys_that_others_may_write(self):
        self.sign(NEWER)
        (KEYS / "ours.pub").chmod(0o666)
        self.refused(self.install(), "others than root")
        (KEYS / "ours.pub").chmod(0o644)
        KEYS.chmod(0o777)
        self.refused(self.install(), "others than root")
        KEYS.chmod(0o755)
        os.chown(KEYS / "ours.pub", support.NOBODY, 0)
        self.refused(self.install(), "others than root")
        (KEYS / "ours.pub").unlink()
        (KEYS / "ours.pub").symlink_to(self.dir / "ours.pub")
        self.refused(self.install())

    def test_what_was_changed(self):
        self.sign(NEWER)
        with self.rules.open("a") as f:
            f.write("// one more line\n")
        self.refused(self.install(), "is not the one")
        self.write()
        signature = pathlib.Path(f"{self.rules}.minisig")
        text = signature.read_text()
        signature.write_text(text.replace(str(NEWER), str(NEWER + 1)))
        self.refused(self.install(), "trusted comment")
        for cut in (0, 1, 50, 150, len(text) // 2, len(text) - 5):
            signature.write_text(text[:cut])
            self.refused(self.install())
        signature.write_text(text)
        self.assertEqual(self.install().status, CLEAN)

    def test_what_can_not_be_used(self):
        self.write("rule Broken { condition: nonsense }")
        self.sign(NEWER)
        self.refused(self.install(), "nonsense")
        self.write("// no rule at all\n")
        self.sign(NEWER)
        self.refused(self.install(), "no rule")
        # what is included was not signed
        (self.dir / "more.yar").write_text('rule More { condition: true }')
        self.write(f'include "{self.dir}/more.yar"\n'
                   'rule R { strings: $a = "abcdef" condition: $a }')
        self.sign(NEWER)
        self.refused(self.install(), "more.yar")
        subprocess.run(["yarac", "/dev/null", self.rules], check=True)
        self.sign(NEWER)
        self.refused(self.install(), "compiled rules are not taken")
        self.assertEqual(self.in_use(), [])

    def test_the_other_kind(self):
        self.sign(NEWER, kind="hashes")
        self.refused(self.install(), "is not 'davylamp rules")

    def test_hash_sets(self):
        out = self.dir / "pages.set"
        done = davylamp("hash", "build", "-o", out, "--family", "Test",
                        "--version", "1", BUILD / "davylamp")
        self.assertEqual(done.status, CLEAN, done)
        self.sign(NEWER, file=out, kind="hashes")
        done = self.install(out, kind="hash")
        self.assertEqual(done.status, CLEAN, done)
        listed = davylamp("hash", "info").out
        self.assertIn("1 binary,", listed)
        bad = self.dir / "bad.set"
        bad.write_bytes(out.read_bytes()[:-64])
        self.sign(NEWER + 1, file=bad, kind="hashes")
        self.refused(self.install(bad, kind="hash"))
        self.assertIn("1 binary,", davylamp("hash", "info").out)

    def test_who_may(self):
        self.sign(NEWER)
        self.dir.chmod(0o755)
        done = davylamp("rules", "install", self.rules, prefix=as_nobody())
        self.assertEqual(done.status, UNABLE, done)
        self.assertIn("only root", done.err)

    def test_what_others_may_write_is_not_used_in_silence(self):
        self.sign(NEWER)
        self.assertEqual(self.install().status, CLEAN)
        there = STATE / "rules" / str(NEWER)
        for path in (there / "rules.yar", there, STATE / "rules"):
            mode = path.stat().st_mode
            path.chmod(0o777)
            done = davylamp("scan", "--pid", os.getpid())
            self.assertEqual(done.status, UNABLE, done)
            self.assertIn("others than root", done.err)
            path.chmod(mode)
        self.assertIn("Signed", davylamp("rules", "list").out)

    def test_one_that_was_cut_off_is_no_hindrance(self):
        d = STATE / "rules" / ".incoming"
        d.mkdir(parents=True)
        (d / "rules.yar").write_text("half of")
        self.assertIn("RandomX", davylamp("rules", "list").out)
        self.sign(NEWER)
        self.assertEqual(self.install().status, CLEAN)
        self.assertEqual(self.in_use(), [str(NEWER)])

    def test_doctor_names_it(self):
        self.sign(NEWER)
        self.assertEqual(self.install().status, CLEAN)
        self.assertIn(f"signed, {NEWER}",
                      davylamp("doctor").out)


if __name__ == "__main__":
    support.main()
