#!/usr/bin/python3
"""What `make install` leaves, the units, and the manual."""
import os
import pathlib
import re
import stat
import subprocess
import unittest

import support
from support import AS_ROOT, BUILD, ROOT, RUN, Case, have

INSTALLED = {
    "bin/davylamp", "libexec/davylamp/davylamp-match",
    "libexec/davylamp/davylamp-report", "libexec/davylamp/davylamp-verify",
    *(f"libexec/davylamp/rules-test/{f.name}"
      for f in (ROOT / "bench/rules").glob("*.py")), "share/man/man8/davylamp.8",
    "share/man/man5/davylamp.conf.5", "lib/systemd/system/davylamp.service",
    "lib/systemd/system/davylamp-report.service",
    "lib/sysusers.d/davylamp.conf", "lib/tmpfiles.d/davylamp.conf",
}
# systemd-analyze's exposure, in tenths.
MOST = {"davylamp.service": 25, "davylamp-report.service": 18}


def words(text):
    return " ".join(text.split()).lower()


class Install(Case):
    def make(self, target, prefix="/usr"):
        done = subprocess.run(
            ["make", "-s", "--no-print-directory", "-C", ROOT,
             f"BUILD={BUILD}", "-o", "all", f"DESTDIR={self.dir}",
             f"PREFIX={prefix}", target], capture_output=True, text=True,
            timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def files(self):
        return {str(f.relative_to(self.dir)) for f in self.dir.rglob("*")
                if not f.is_dir()}

    def run_tool(self, *args, status=0):
        done = subprocess.run([str(a) for a in args], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, status,
                         f"{args}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_install_and_uninstall(self):
        for prefix in "/usr", "/usr/local":
            with self.subTest(prefix):
                self.make("install", prefix)
                self.assertEqual(self.files(), {
                    f"{prefix[1:]}/{f}" for f in INSTALLED})
                unit = (self.dir / prefix[1:] / "lib/systemd/system"
                        / "davylamp.service").read_text()
                self.assertIn(f"\nExecStart={prefix}/bin/davylamp run\n", unit)
                self.make("uninstall", prefix)
                self.assertEqual(self.files(), set())

    def tool(self, name):
        if not have(name):
            self.skipTest(f"no {name} here")
        self.make("install")
        return name

    def test_the_units_are_sound(self):
        analyze = self.tool("systemd-analyze")
        (self.dir / "bin").symlink_to("usr/bin")
        kill = self.dir / "usr/bin/kill"
        kill.write_text("")
        kill.chmod(0o755)
        for name in ("sysinit.target", "basic.target", "shutdown.target",
                     "multi-user.target", "local-fs.target",
                     "network-online.target", "nss-lookup.target",
                     "systemd-tmpfiles-setup.service", "system.slice",
                     "-.slice", "systemd-journald.socket", "-.mount"):
            for folder in "/lib/systemd/system", "/usr/lib/systemd/system":
                if (pathlib.Path(folder) / name).exists():
                    (self.dir / "usr/lib/systemd/system" / name).write_bytes(
                        (pathlib.Path(folder) / name).read_bytes())
                    break
        said = self.run_tool(analyze, "verify", "--man=no",
                             f"--root={self.dir}", *MOST)
        # It knows nothing of targets that are not in this tree.
        wrong = r"davylamp[a-z-]*\.service:\d+"
        self.assertNotRegex(said, wrong)
        with (self.dir / "usr/lib/systemd/system/davylamp.service").open(
                "a") as f:
            f.write("Nonsense=yes\n")
        self.assertRegex(self.run_tool(
            analyze, "verify", "--man=no", f"--root={self.dir}", *MOST), wrong)

    def test_the_units_are_confined(self):
        analyze = self.tool("systemd-analyze")
        for unit, most in MOST.items():
            with self.subTest(unit):
                self.run_tool(analyze, "security", "--offline=true",
                              "--no-pager", f"--threshold={most}",
                              f"--root={self.dir}", unit)

    def test_the_limits_can_fail(self):
        """A unit that anything goes for is over the threshold."""
        analyze = self.tool("systemd-analyze")
        unit = self.dir / "usr/lib/systemd/system/loose.service"
        unit.write_text("[Service]\nExecStart=/usr/bin/davylamp run\n")
        self.run_tool(analyze, "security", "--offline=true", "--no-pager",
                      "--threshold=25", f"--root={self.dir}", unit.name,
                      status=1)

    @unittest.skipUnless(AS_ROOT, "needs root")
    def test_users_and_folders_are_made(self):
        sysusers = self.tool("systemd-sysusers")
        if not have("systemd-tmpfiles"):
            self.skipTest("no systemd-tmpfiles here")
        (self.dir / "etc").mkdir()
        self.run_tool(sysusers, f"--root={self.dir}")
        ids = {x.split(":")[0]: int(x.split(":")[2]) for x in
               (self.dir / "etc/passwd").read_text().splitlines()}
        groups = {x.split(":")[0]: x.split(":") for x in
                  (self.dir / "etc/group").read_text().splitlines()}
        self.assertIn("davylamp-report", groups["davylamp"][3])
        self.assertNotEqual(ids["davylamp"], ids["davylamp-report"])
        self.run_tool("systemd-tmpfiles", f"--root={self.dir}", "--create",
                      "--prefix=/var/lib/davylamp")
        st = (self.dir / "var/lib/davylamp/spool").stat()
        self.assertEqual((st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)),
                         (0, int(groups["davylamp"][2]), 0o2770))


class Manual(Case):
    """The page is written by hand and says what the table of keys says."""

    def keys(self):
        """(section, key, default, help, allowed) as --help has them."""
        text = subprocess.run([*RUN.split(), BUILD / "davylamp-report",
                               "--help"], capture_output=True,
                              text=True).stdout
        section = about = None
        for line in text.splitlines():
            if m := re.fullmatch(r"\[(.*)\]", line):
                section = m[1]
            elif line.startswith("; "):
                about = line[2:]
            elif section and (m := re.match(r";?(\w+) =(.*)", line)):
                help_, allowed = about[:-1].split(" (", 1)
                yield section, m[1], m[2].strip(), help_, allowed

    def test_every_key_is_there(self):
        page = (ROOT / "packaging/davylamp.conf.5").read_text()
        said = {}
        for part in page.split("\n.Ss [")[1:]:
            section, rest = part.split("]\n", 1)
            for item in rest.split("\n.It Cm ")[1:]:
                key, text = item.split("\n", 1)
                said[section, key] = words(text.split("\n.El")[0])
        keys = list(self.keys())
        self.assertGreater(len(keys), 25)
        for section, key, default, help_, allowed in keys:
            with self.subTest(section=section, key=key):
                text = said.pop((section, key))
                self.assertIn(words(help_), text)
                self.assertIn("allowed: " + words(allowed), text)
                if not section.startswith("exclude"):
                    self.assertIn(f"default: {words(default) or 'empty'}.",
                                  text)
        self.assertEqual(said, {})

    def test_every_command_is_there(self):
        page = (ROOT / "packaging/davylamp.8").read_text()
        text = subprocess.run([*RUN.split(), BUILD / "davylamp", "help"],
                              capture_output=True, text=True).stdout
        commands = re.findall(r"^  (\w+)  +\w", text, re.M)
        self.assertIn("scan", commands)
        for c in commands:
            if c not in ("help", "version"):
                self.assertRegex(page, rf"\n\.It Cm {c}\n", c)

    def test_the_pages_are_sound(self):
        if not have("groff"):
            self.skipTest("no groff here")
        for name in "davylamp.8", "davylamp.conf.5":
            with self.subTest(name):
                done = subprocess.run(
                    ["groff", "-ww", "-z", "-mandoc", "-Tutf8",
                     ROOT / "packaging" / name], capture_output=True,
                    text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
                self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    support.main()
