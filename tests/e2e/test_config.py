#!/usr/bin/python3
"""The configuration's places, and exclusions, through the command line."""
import datetime
import hashlib
import os
import pathlib
import subprocess
import unittest

import support
from support import (AS_ROOT, CLEAN, DAVYLAMP, FINDINGS, INCOMPLETE, MINER,
                     NOBODY, PLANT, UNABLE, USAGE, Case, davylamp, scan)

ID = "4f1e" * 16
LATER = "2099-12-31"
CGROUPS = pathlib.Path("/sys/fs/cgroup/systemd"), \
    pathlib.Path("/sys/fs/cgroup/unified"), pathlib.Path("/sys/fs/cgroup")


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Files(Case):
    def config(self, text, name="c.conf"):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        return path

    def exclude(self, *selectors, until=LATER, reason="a test"):
        return self.config(f"[exclude x]\nreason = {reason}\nuntil = {until}\n"
                           + "\n".join(selectors) + "\n")

    def look(self, p, config):
        return scan(p.pid, args=("--config", config))

    def covered(self, p, config):
        """Is @p left out, and said so everywhere?"""
        result = self.look(p, config)
        n = result.summary["exclusions"][0]["processes"]
        self.assertEqual(n, result.summary["excluded"])
        if n:
            self.status(result, INCOMPLETE)
            self.assertIsNone(result.of(p.pid))
            self.assertIn("excluded by [exclude x]", result.err)
        else:
            self.status(result, FINDINGS)
            self.assertIsNotNone(result.of(p.pid))
        return n


@unittest.skipUnless(AS_ROOT, "needs root")
class Places(Files):
    def run_over(self, mounts, *args, **more):
        """davylamp with folders of ours laid over others."""
        script = "".join(
            f"mount -t overlay -o lowerdir={self.dir / ours}:{over} o {over}"
            " || exit 99\n" for ours, over in mounts.items())
        result = davylamp(*args, prefix=(
            "unshare", "-m", "sh", "-c", script + 'exec "$0" "$@"'), **more)
        if result.status == 99:
            self.skipTest("no overlay here: " + result.err.strip())
        return result

    def check(self, *args):
        return self.run_over({"etc": "/etc", "lib": "/usr/lib"},
                             "run", "--check", *args)

    def setUp(self):
        super().setUp()
        self.dir.chmod(0o755)
        self.config("", "etc/davylamp/davylamp.conf")
        self.config("[run]\nsensors = netlink\ncpu_budget = 7\n",
                    "lib/davylamp/davylamp.conf")

    def test_later_places_win(self):
        self.config("[run]\ncpu_budget = 8\n", "etc/davylamp/davylamp.conf")
        self.config("[run]\npass_interval = 2h\n",
                    "etc/davylamp/conf.d/10.conf")
        result = self.check()
        self.status(result, CLEAN)
        lines = [" ".join(x.split()) for x in result.out.splitlines()]
        for want in (
                "cpu_budget = 8 ; /etc/davylamp/davylamp.conf:2",
                "sensors = netlink ; /usr/lib/davylamp/davylamp.conf:2",
                "pass_interval = 2h ; /etc/davylamp/conf.d/10.conf:2",
                "hashes = ; default"):
            self.assertIn(want, lines)

    def test_config_is_read_alone(self):
        result = self.check("--config", self.config("[scc]\napi = v1\n"))
        self.status(result, CLEAN)
        self.assertIn("api = v1", result.out)
        self.assertNotIn("netlink", result.out)

    def test_bad_files_are_named(self):
        bad = self.config("[run]\n\ncpu_budget = 0\n",
                          "etc/davylamp/conf.d/20.conf")
        result = self.check()
        self.status(result, USAGE)
        for word in "/etc/davylamp/conf.d/20.conf:3", "'0'", "0.1 to 100":
            self.assertIn(word, result.err)
        bad.write_text("")
        bad.chmod(0o666)
        result = self.check()
        self.assertIn(result.status, (USAGE, UNABLE))
        self.assertIn("20.conf: owner 0, mode 0666", result.err)
        bad.chmod(0o644)
        os.chown(bad, NOBODY, 0)
        result = self.check()
        self.assertIn(f"owner {NOBODY}", result.err)

    def test_a_container_is_known_by_its_runtimes_file(self):
        group = next((c for c in CGROUPS if (c / "cgroup.procs").exists()),
                     None)
        self.config('{"ID":"%s","Created":"2026-11-25T19:08:31.2Z","Config":'
                    '{"Image":"miner:\\u202e1","Labels":{"team":"green"}},'
                    '"Name":"/web-2"}' % ID,
                    f"lib2/docker/containers/{ID}/config.v2.json")
        for d in (self.dir / "lib2").rglob("*"):
            d.chmod(0o755 if d.is_dir() else 0o600)
        p = self.p.plant("file-r-x", MINER, busy=True)
        groups = [group / "docker", group / "docker" / ID]
        try:
            for g in groups:
                g.mkdir(exist_ok=True)
            (groups[1] / "cgroup.procs").write_text(str(p.pid))
        except (OSError, TypeError) as e:
            self.skipTest(f"no cgroup can be made: {e}")
        self.addCleanup(lambda: [g.rmdir() for g in reversed(groups)
                                 if g.exists()])
        self.addCleanup(self.p.close)

        def look(*args):
            return self.run_over({"lib2": "/var/lib"}, "scan", "--pid", p.pid,
                                 *args)
        found = look("--json").of(p.pid)
        c = found["containers"][0]
        self.assertEqual((c["name"], c["uri"]), ("web-2", "miner:\\xe2\\x80"
                                                 "\\xae1"))
        self.assertEqual(c["labels"], [{"name": "team", "value": "green"}])
        self.assertEqual(found["sourceProperties"]["containerId"], ID)
        self.assertIn("docker 4f1e4f1e4f1e, web-2", look().out)
        for words, status in (("container = web-2", INCOMPLETE),
                              ("container = web-3", FINDINGS),
                              ("label = team=green", INCOMPLETE),
                              ("label = team=gree", FINDINGS)):
            with self.subTest(words):
                result = look("--json", "--config", self.exclude(words))
                self.status(result, status)

    def test_a_unit_is_the_systems_own(self):
        group = next((c for c in CGROUPS if (c / "cgroup.procs").exists()),
                     None)
        p = self.p.plant("file-r-x", MINER, busy=True)
        groups = [group / "e2e.slice"]
        groups.append(groups[0] / "e2e.service")
        groups.append(groups[1] / "other.service")
        try:
            for g in groups:
                g.mkdir(exist_ok=True)
            (groups[2] / "cgroup.procs").write_text(str(p.pid))
        except (OSError, TypeError) as e:
            self.skipTest(f"no cgroup can be made: {e}")
        self.addCleanup(lambda: [g.rmdir() for g in reversed(groups)])
        self.addCleanup(self.p.close)
        for unit, n in (("e2e.service", 1), ("e2e.slice", 1),
                        ("other.service", 0), ("e2e", 0)):
            with self.subTest(unit):
                self.assertEqual(
                    self.covered(p, self.exclude(f"unit = {unit}")), n)


class Exclusions(Files):
    def setUp(self):
        super().setUp()
        self.miner = self.p.plant("file-r-x", MINER, busy=True)

    def test_an_executable_by_its_digest(self):
        digest = sha256(PLANT)
        good = self.exclude(f"exe = {PLANT}", f"sha256 = {digest}")
        self.assertEqual(self.covered(self.miner, good), 1)
        # The same program elsewhere, and another one that is called so.
        path, p = self.start_copy("same")
        self.assertEqual(self.covered(p, good), 0)
        self.assertEqual(self.covered(p, self.exclude(
            f"exe = {path}", f"sha256 = {digest}")), 1)
        path, p = self.start_copy("other", b"x")
        self.assertEqual(self.covered(p, self.exclude(
            f"exe = {path}", f"sha256 = {digest}")), 0)

    def start_copy(self, name, tail=b""):
        path = self.dir / name
        path.write_bytes(PLANT.read_bytes() + tail)
        path.chmod(0o755)
        p = self.p.start(path, "--busy", "file-r-x", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE,
                         env=dict(os.environ, TMPDIR=str(self.dir)))
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        return path, p

    def test_a_user(self):
        me = str(os.geteuid())
        self.assertEqual(self.covered(self.miner, self.exclude(f"user = {me}")),
                         1)
        self.assertEqual(self.covered(
            self.miner, self.exclude(f"user = {me}1")), 0)
        result = self.look(self.miner, self.exclude("user = nobody-at-all"))
        self.assertIn("no such user", result.summary["exclusions"][0]["note"])
        self.assertIsNotNone(result.of(self.miner.pid))

    def test_all_selectors_of_a_section_must_fit(self):
        self.assertEqual(self.covered(self.miner, self.exclude(
            f"user = {os.geteuid()}", "unit = no.service")), 0)

    def test_the_expired_hold_for_nobody_and_are_said(self):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        yesterday = today - datetime.timedelta(days=1)
        me = f"user = {os.geteuid()}"
        self.assertEqual(self.covered(
            self.miner, self.exclude(me, until=today)), 1)
        config = self.exclude(me, until=yesterday)
        self.assertEqual(self.covered(self.miner, config), 0)
        result = davylamp("scan", "--pid", self.miner.pid, "--config", config)
        self.status(result, FINDINGS)
        self.assertRegex(result.out, rf"excluded +x until {yesterday}: none, "
                                     "it has expired")

    def test_it_is_in_every_summary(self):
        config = self.exclude(f"exe = {PLANT}", f"sha256 = {sha256(PLANT)}",
                              reason="ticket \u202eOPS-7; see [wiki]")
        result = davylamp("scan", "--config", config)
        said = " ".join(result.out.split())
        self.assertIn(f"excluded x until {LATER}: 1 process (ticket "
                      "\\xe2\\x80\\xaeOPS-7; see [wiki])", said)
        self.assertNotIn(str(self.miner.pid), said)
        for line in result.out.splitlines():
            self.assertLessEqual(len(line), 80)
        result = davylamp("scan", "--config", config, "--verbose")
        self.assertIn("excluded by [exclude x]", " ".join(result.out.split()))

    def test_hostile_names_stay_harmless(self):
        p = self.p.plant("file-r-x", MINER, name="\x1b[2J\n\u202e")
        result = davylamp("scan", "--pid", p.pid, "--config",
                          self.exclude(f"user = {os.geteuid()}"))
        self.assertNotIn("\x1b", result.out)
        self.assertIn("\\x1b[2J", result.out)

    def test_a_finding_closes_when_its_process_is_excluded(self):
        if not AS_ROOT:
            self.skipTest("needs root: a scan of all processes")
        more = (f"[spool]\npath = {self.dir}/spool\n[findings]\njournal = no\n"
                f"file = {self.dir}/out.jsonl\nstate = {self.dir}/state\n")
        out = self.dir / "out.jsonl"
        self.status(davylamp("scan", "--report", "--config",
                             self.config(more)), FINDINGS)
        pid = f'"pid":"{self.miner.pid}"'

        def events():
            return [x for x in out.read_text().splitlines() if pid in x]
        self.assertEqual(len(events()), 1)
        self.assertIn('"state":"ACTIVE"', events()[0])
        davylamp("scan", "--report", "--config", self.config(
            more + f"[exclude x]\nreason = r\nuntil = {LATER}\n"
            f"exe = {PLANT}\nsha256 = {sha256(PLANT)}\n"))
        self.assertEqual(len(events()), 2)
        self.assertIn('"state":"INACTIVE"', events()[1])


@unittest.skipUnless(AS_ROOT, "needs root")
class Sandbox(Case):
    def test_the_matcher_keeps_no_capability(self):
        """Those of a service's user are ambient, and inherited."""
        caps = "+sys_ptrace,+dac_read_search"
        run = self.p.start(
            "setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
            f"--inh-caps={caps}", f"--ambient-caps={caps}", DAVYLAMP, "run",
            "--config", self.config_of_nobody(), stderr=subprocess.PIPE)

        def capabilities():
            found = []
            # A sanitizer's build loads no filter.
            end = ("CapPrm:\t" + "0" * 16 if support.SANITIZED
                   else "Seccomp:\t2")
            for child in support.children(run.pid):
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                if "davylamp-match" in status and end in status:
                    found.append([x.split()[1] for x in status.splitlines()
                                  if x.startswith(("CapPrm", "CapEff",
                                                   "CapInh", "CapAmb"))])
            return found
        for sets in support.wait_for(capabilities, what="a matcher"):
            self.assertEqual(set(sets), {"0" * 16})
        status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
        self.assertNotIn("CapEff:\t" + "0" * 16, status)

    def config_of_nobody(self):
        for d in "spool", "state", "run":
            (self.dir / d).mkdir()
            os.chown(self.dir / d, NOBODY, NOBODY)
        self.dir.chmod(0o755)
        path = self.dir / "c.conf"
        path.write_text(f"[run]\nstatus = {self.dir}/run/status\n[spool]\n"
                        f"path = {self.dir}/spool\n[findings]\n"
                        f"state = {self.dir}/state\n")
        path.chmod(0o644)
        return path


if __name__ == "__main__":
    support.main()
