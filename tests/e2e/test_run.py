#!/usr/bin/python3
"""`davylamp run` as its users start it: uninstalled, from build/."""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time
import unittest

import support
from support import (AS_ROOT, CLEAN, DAVYLAMP, INCOMPLETE, MINER, PLANT,
                     UNABLE, USAGE, Case, as_nobody, children, davylamp, wait_for)

RULE = """rule planted_words { meta: where = "any" severity = "HIGH"
    strings: $a = "%s" condition: $a }"""
WORDS = "words that only this very test knows of"


def pid_of(finding):
    """0: it is about no process."""
    return int(finding.get("processes", [{"pid": 0}])[0]["pid"])


def cpu_seconds(pid):
    """Of one process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        user, system = f.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Service:
    """One `davylamp run`, its configuration, spool and log."""

    def __init__(self, case, config="", env=None, prefix=(),
                 program=DAVYLAMP, **keys):
        self.dir = case.dir
        os.chmod(self.dir, 0o755)
        self.config = self.dir / "davylamp.conf"
        keys.setdefault("cpu_budget", 100)
        self.keys = keys
        self.more = config
        self.write()
        self.spool = self.dir / "spool"
        self.log_path = self.dir / "log"
        self.status_path = self.dir / "status"
        self.log = open(self.log_path, "ab")
        self.p = case.p.start(*prefix, program, "run", "--config",
                              self.config, stderr=self.log,
                              env=dict(os.environ, **(env or {})))
        wait_for(lambda: self.status_path.exists() or self.p.poll()
                 is not None, what="the status socket")

    def write(self):
        keys = "".join(f"{k} = {v}\n" for k, v in self.keys.items())
        self.config.write_text(
            f"[spool]\npath = {self.dir}/spool\n"
            f"[findings]\nstate = {self.dir}/state\njournal = no\n"
            f"file = none\n[run]\nstatus = {self.dir}/status\n{keys}"
            f"{self.more}")
        os.chmod(self.config, 0o644)

    def status(self):
        for _ in range(20):  # it may be at work on a busy machine
            done = davylamp("status", "--json", "--config", self.config)
            if "timed out" not in done.err:
                break
        if done.status not in (CLEAN, INCOMPLETE):
            raise RuntimeError(str(done))
        return json.loads(done.out)

    def events(self):
        """(event, finding) of what is in the spool, by sequence."""
        found = []
        for path in self.spool.glob("[0-9]-*.json"):
            event = json.loads(path.read_text())
            found.append((path.name[2:18], event["event"],
                          event["finding"]))
        return [x[1:] for x in sorted(found, key=lambda x: x[0])]

    def of(self, pid, event="open"):
        for e, f in self.events():
            if e == event and pid_of(f) == pid:
                return f
        return None

    def wait_pass(self, n=1, seconds=300):
        wait_for(lambda: self.status()["pass"]["completed"] >= n, seconds,
                 f"pass {n}")

    def text(self):
        return self.log_path.read_text("utf-8", "backslashreplace")

    def stop(self, seconds=5):
        begin = time.monotonic()
        self.p.send_signal(signal.SIGTERM)
        self.p.wait(seconds)
        return time.monotonic() - begin


class Manager:
    """systemd's side of sd_notify(3)."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []

    def wait(self, word, seconds=20):
        end = time.monotonic() + seconds
        while not any(word in x for x in self.said):
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            self.said.append(self.socket.recv(4096).decode())

    def close(self):
        self.socket.close()


@unittest.skipUnless(AS_ROOT, "not root")
class Run(Case):
    def test_a_miner_that_begins_is_found_and_closed(self):
        s = Service(self)
        p = self.p.plant("file-r--", MINER, busy=True)
        f = wait_for(lambda: s.of(p.pid), 15, "the finding")
        self.assertEqual(f["state"], "ACTIVE")
        self.assertGreater(s.status()["findings"]["open"], 0)
        self.assertIn("RandomX_AES_Keys", json.dumps(f))
        self.p.stop(p)
        f = wait_for(lambda: s.of(p.pid, "close"), 30, "its end")
        self.assertEqual(f["state"], "INACTIVE")

    def test_what_was_there_before_is_found_by_the_pass(self):
        p = self.p.plant("file-r--", MINER, busy=True)
        s = Service(self, sensors="polling")
        s.wait_pass()
        self.assertIsNotNone(s.of(p.pid))

    def test_plain_data_is_left_to_the_pass(self):
        """A look at what just began does not read heaps; the pass does."""
        rules = self.dir / "r.yar"
        rules.write_text(RULE % WORDS)
        p = self.p.plant("anon-rw-", WORDS.encode(), busy=True)
        s = Service(self, rules=rules)
        s.wait_pass()
        self.assertIsNotNone(s.of(p.pid))

    def test_without_bpf(self):
        for sensors, mode in ("netlink", "netlink"), ("polling", "polling"):
            with self.subTest(sensors=sensors):
                s = Service(self, sensors=sensors)
                self.assertEqual(s.status()["sensors"]["mode"], mode)
                shown = davylamp("status", "--config", s.config)
                self.status(shown, INCOMPLETE)
                self.assertIn("no BPF", shown.out)
                e, f = wait_for(s.events, 10, "the observation")[0]
                self.assertEqual((e, f["findingClass"]),
                                 ("open", "OBSERVATION"))
                self.assertIn("davylamp learns of", f["description"])
                p = self.p.plant("file-r--", MINER, busy=True)
                wait_for(lambda: s.of(p.pid), 40, "the finding")
                self.p.stop(p)
                s.stop()

    def test_reload(self):
        rules = self.dir / "r.yar"
        rules.write_text(RULE % "nothing holds these words of this test")
        s = Service(self, rules=rules)
        p = self.p.plant("file-r--", WORDS.encode(), busy=True)
        rules.write_text(RULE % WORDS)
        os.kill(s.p.pid, signal.SIGHUP)
        wait_for(lambda: s.status()["rules"]["reloads"] == 1, 20, "a reload")
        q = self.p.plant("file-r--", WORDS.encode(), busy=True)
        wait_for(lambda: s.of(q.pid), 20, "what the new rules find")
        # What was there is looked at again as well, in its time.
        self.assertNotIn("FAIL", s.text())
        self.p.stop(p)

    def test_what_takes_a_restart_is_named(self):
        s = Service(self)
        s.more = "[spool]\nmax_bytes = 8M\n"
        s.write()
        os.kill(s.p.pid, signal.SIGHUP)
        wait_for(lambda: s.status()["rules"]["reloads"] == 1, 20, "a reload")
        self.assertIn("[spool] max_bytes takes a restart", s.text())

    def test_a_reload_that_fails_changes_nothing(self):
        rules = self.dir / "r.yar"
        rules.write_text(RULE % WORDS)
        s = Service(self, rules=rules)
        version = s.status()["rules"]["ruleSetVersion"]
        rules.write_text("rule broken {")
        os.kill(s.p.pid, signal.SIGHUP)
        wait_for(lambda: "reloadFailed" in s.status()["rules"], 20,
                 "the failure")
        now = s.status()["rules"]
        self.assertIn(str(rules), now["reloadFailed"])
        self.assertEqual(now["ruleSetVersion"], version)
        self.assertIn("goes on", s.text())
        shown = davylamp("status", "--config", s.config)
        self.status(shown, INCOMPLETE)
        self.assertIn("last reload failed", " ".join(shown.out.split()))
        p = self.p.plant("file-r--", WORDS.encode(), busy=True)
        wait_for(lambda: s.of(p.pid), 20, "what the old rules find")

    def test_the_manager_is_told(self):
        m = Manager(self.dir)
        self.addCleanup(m.close)
        s = Service(self, env={"NOTIFY_SOCKET": m.path,
                               "WATCHDOG_USEC": "2000000"})
        m.wait("READY=1")
        m.wait("WATCHDOG=1")
        m.said = []
        os.kill(s.p.pid, signal.SIGHUP)
        m.wait("RELOADING=1\nMONOTONIC_USEC=")
        m.wait("READY=1")
        m.wait("STATUS=")
        s.p.send_signal(signal.SIGTERM)
        m.wait("STOPPING=1")
        self.assertEqual(s.p.wait(5), 0)

    def test_the_watchdog_is_fed_while_the_matcher_hangs(self):
        m = Manager(self.dir)
        self.addCleanup(m.close)
        s = Service(self, env={"NOTIFY_SOCKET": m.path,
                               "WATCHDOG_USEC": "1000000"})
        m.wait("READY=1")
        stopped = [x for x in children(s.p.pid)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        p = self.p.plant("file-r--", MINER, busy=True)
        m.said = []
        time.sleep(3)
        for _ in range(3):
            m.wait("WATCHDOG=1", 2)
            m.said = []
        self.assertLess(s.stop(), 5)
        self.p.stop(p)

    def test_ends_within_five_seconds_and_goes_on_where_it_was(self):
        p = self.p.plant("file-r--", MINER, busy=True)
        s = Service(self)
        s.wait_pass()
        looks = s.status()["looks"]["steady"]
        self.assertLess(s.stop(), 5)
        self.assertEqual(s.p.returncode, 0)
        self.assertFalse(s.status_path.exists())
        s = Service(self)
        s.wait_pass()
        # Only what began since is looked at in the first pass.
        self.assertLess(s.status()["looks"]["steady"], looks / 2, s.text())
        opens = [f for e, f in s.events() if e == "open" and
                 pid_of(f) == p.pid]
        self.assertEqual(len(opens), 1)

    def test_the_matcher_is_killed(self):
        s = Service(self)
        s.wait_pass()
        for pid in children(s.p.pid):
            os.kill(pid, signal.SIGKILL)
        p = self.p.plant("file-r--", MINER, busy=True)
        wait_for(lambda: s.of(p.pid), 30, "the finding")
        self.assertIsNone(s.p.poll())

    def test_a_program_begun_in_a_known_process(self):
        s = Service(self)
        data = self.dir / "miner"
        data.write_bytes(MINER)
        p = self.p.start("bash", "-c", f"sleep 4; exec {PLANT} --busy "
                         f"file-r-- <{data}",
                         env=dict(os.environ, TMPDIR=str(self.dir)))
        wait_for(lambda: s.of(p.pid), 30, "the finding")

    def test_the_budget_holds(self):
        """A fork storm of new programs costs no more than is allowed."""
        s = Service(self, cpu_budget=1)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            for _ in range(20):
                self.p.start("sleep", "3")
            time.sleep(0.3)
        budget = s.status()["budget"]
        # Six seconds in ten minutes, and the piece that was under way.
        self.assertLess(budget["cpuSeconds"], 6.5)
        self.assertEqual(budget["share"], 0.01)

    def test_a_budget_that_is_spent_is_waited_for(self):
        """What is due and may not be looked at yet is nothing to do: by the
        kernel's account, not by the service's own."""
        s = Service(self, cpu_budget=0.1)

        def spend():
            p = [self.p.start("sh", "-c", "while :; do :; done")
                 for _ in range(20)]
            time.sleep(2)
            for each in p:
                self.p.stop(each)
            return s.status()["budget"]["used"] > 0.00094
        wait_for(spend, 150, "a budget that is spent")
        for _ in range(4):
            self.p.start("sh", "-c", "while :; do :; done")
        wait_for(lambda: s.status()["processes"]["due"], what="what is due")
        time.sleep(2)
        before = cpu_seconds(s.p.pid)
        time.sleep(5)
        self.assertLess(cpu_seconds(s.p.pid) - before, 0.5)

    def test_exclusions_are_told(self):
        s = Service(self, config="[exclude quiet]\nuser = nobody\n"
                    "reason = a test\nuntil = 2099-12-31\n")
        p = self.p.start(*as_nobody(), PLANT, "file-r--",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         cwd="/tmp")
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        wait_for(lambda: s.status()["looks"]["excluded"] > 0, 20,
                 "the exclusion")
        time.sleep(1)
        self.assertIsNone(s.of(p.pid))
        told = s.status()["exclusions"][0]
        self.assertEqual(told["name"], "quiet")
        self.assertGreater(told["processes"], 0)
        shown = davylamp("status", "--config", s.config)
        self.assertIn("a test", shown.out)

    def test_what_is_excluded_later_is_closed(self):
        s = Service(self)
        p = self.p.start(*as_nobody(), PLANT, "file-r--",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         cwd="/tmp")
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        wait_for(lambda: s.of(p.pid), 20, "the finding")
        s.more = ("[exclude quiet]\nuser = nobody\nreason = a test\n"
                  "until = 2099-12-31\n")
        s.write()
        os.kill(s.p.pid, signal.SIGHUP)
        wait_for(lambda: s.status()["rules"]["reloads"] == 1, 20, "a reload")
        wait_for(lambda: s.of(p.pid, "close"), 60, "its end")

    def test_a_connection_that_is_closed_is_told(self):
        """Whom it called when it began, though that is over by now."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        s = Service(self)
        if s.status()["sensors"]["mode"] != "BPF":
            self.skipTest("no BPF: connections are seen while they are open")
        data = self.dir / "miner"
        data.write_bytes(MINER)
        p = self.p.start(
            "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port} && exec 3>&- && "
            f"exec {PLANT} --busy file-r-- <{data}",
            env=dict(os.environ, TMPDIR=str(self.dir)))
        f = wait_for(lambda: s.of(p.pid), 30, "the finding")
        self.assertIn({"destinationIp": "127.0.0.1",
                       "destinationPort": port, "protocol": "TCP"},
                      [{k: c[k] for k in ("destinationIp", "destinationPort",
                                          "protocol")}
                       for c in f.get("connections", [])], f)

    def test_the_container_in_which_it_began(self):
        """It is moved out of its group before anybody looks."""
        place = next((pathlib.Path(x) for x in
                      ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
                      if os.path.exists(f"{x}/cgroup.controllers")), None)
        s = Service(self)
        if not place or s.status()["sensors"]["mode"] != "BPF":
            self.skipTest("no cgroup2, or no BPF")
        name = "ab" * 32
        group = place / f"docker-{name}.scope"
        group.mkdir()

        def remove():
            for p in self.p.started:
                self.p.stop(p)
            wait_for(lambda: not group.joinpath("cgroup.procs").read_text(),
                     10, "an empty group")
            group.rmdir()
        self.addCleanup(remove)
        data = self.dir / "miner"
        data.write_bytes(MINER)
        p = self.p.start(
            "bash", "-c", f"echo 0 >{group}/cgroup.procs; "
            f"exec {PLANT} --busy file-r-- <{data}",
            env=dict(os.environ, TMPDIR=str(self.dir)))
        comm = pathlib.Path(f"/proc/{p.pid}/comm")
        wait_for(lambda: comm.read_text() == "plant\n", 5, "its start")
        (place / "cgroup.procs").write_text(str(p.pid))
        f = wait_for(lambda: s.of(p.pid), 30, "the finding")
        self.assertIn(name[:12], json.dumps(f.get("containers", "")), f)

    def test_metrics(self):
        prom = self.dir / "d.prom"
        Service(self, metrics=prom,  # as the unit has it
                prefix=("sh", "-c", 'umask 077; exec "$@"', "sh"))
        wait_for(prom.exists, 20, "the metrics")
        # For node_exporter, which is another user.
        self.assertEqual(prom.stat().st_mode & 0o777, 0o644)
        text = prom.read_text()
        self.assertRegex(text, r"(?m)^davylamp_processes \d+$")
        self.assertIn('davylamp_sensors{mode=', text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) davylamp_\w+ .+|"
                                   r"davylamp_\w+(\{[^}]*\})? [0-9.e+-]+)$")

    def test_two_do_not_fit(self):
        s = Service(self)
        done = davylamp("run", "--config", s.config)
        self.status(done, UNABLE)
        self.assertIn("another davylamp", done.err)
        self.assertIsNone(s.p.poll())

    def test_a_matcher_that_can_not_be_started(self):
        for name in ("davylamp", "davylamp-match"):
            shutil.copy(DAVYLAMP.parent / name, self.dir)
        s = Service(self, program=self.dir / "davylamp")
        s.wait_pass()  # what follows is looked at by one of the two
        (self.dir / "davylamp-match").unlink()
        for pid in children(s.p.pid):
            os.kill(pid, signal.SIGKILL)
        self.p.plant("file-r--", MINER, busy=True)
        why = wait_for(lambda: s.status()["rules"].get("matcherDown"), 30,
                       "a look")
        self.assertIn("davylamp-match", why)
        self.assertEqual(s.text().count("nothing is found by rules"), 1)
        for form in ((), ("--json",)):
            done = davylamp("status", *form, "--config", s.config)
            self.status(done, INCOMPLETE)
        shutil.copy(DAVYLAMP.parent / "davylamp-match", self.dir)
        p = self.p.plant("file-r--", MINER, busy=True)
        wait_for(lambda: s.of(p.pid), 30, "the finding")
        wait_for(lambda: "matcherDown" not in s.status()["rules"], 60,
                 "another look")

    def test_a_process_that_it_did_not_survive(self):
        """It is named when the service is there again, and not looked at until
        it ends; others are."""
        s = Service(self)
        p = self.p.plant("file-r--", WORDS.encode(), busy=True)
        s.wait_pass()
        s.p.kill()
        s.p.wait()
        looking = self.dir / "looking"
        file = bytearray(looking.read_bytes())
        start = int(pathlib.Path(f"/proc/{p.pid}/stat").read_text().rpartition(
            ")")[2].split()[19])
        for at in 40, 56:  # now, and the time before
            struct.pack_into("=Qi", file, at, start, p.pid)
        looking.write_bytes(file)
        s.status_path.unlink()
        rules = self.dir / "r.yar"
        rules.write_text(RULE % WORDS)
        s = Service(self, rules=rules)
        q = self.p.plant("file-r--", WORDS.encode(), busy=True)
        wait_for(lambda: s.of(q.pid), 30, "the other's finding")
        s.wait_pass()
        self.assertIsNone(s.of(p.pid))
        self.assertIn(f"process {p.pid} is not looked at", s.text())
        self.assertGreater(s.status()["looks"]["partial"], 0)
        self.assertEqual(s.status()["processes"]["refused"], 1)
        done = davylamp("status", "--config", s.config)
        self.assertIn("1 processes are not looked at", " ".join(
            done.out.split()))
        self.p.stop(p)
        wait_for(lambda: not s.status()["processes"]["refused"], 30, "its end")
        s.stop()
        self.assertEqual(looking.read_bytes()[48:52], bytes(4))

    def test_status_without_a_service(self):
        done = davylamp("status", "--config", "/dev/null")
        conf = self.dir / "c.conf"
        conf.write_text(f"[run]\nstatus = {self.dir}/nothing\n")
        done = davylamp("status", "--config", conf)
        self.status(done, UNABLE)
        self.assertIn("no service listens", done.err)

    def test_nothing_leaks(self):
        """Descriptors and memory after a thousand processes and reloads."""
        s = Service(self)
        s.wait_pass()

        def held():
            fds = len(os.listdir(f"/proc/{s.p.pid}/fd"))
            text = pathlib.Path(f"/proc/{s.p.pid}/smaps_rollup").read_text()
            return fds, int(text.split("Rss:")[1].split()[0])
        before = held()
        for round in range(5):
            for _ in range(100):
                subprocess.run(["true"], check=True)
            os.kill(s.p.pid, signal.SIGHUP)
            wait_for(lambda: s.status()["rules"]["reloads"] > round, 20,
                     "a reload")
        after = held()
        self.assertLess(after[0], before[0] + 3)
        self.assertLess(after[1], before[1] + 4096)


class Words(Case):
    def test_a_bad_configuration_names_the_line(self):
        conf = self.dir / "c.conf"
        conf.write_text("[run]\ncpu_budget = many\n")
        for args in (), ("--check",):
            done = davylamp("run", *args, "--config", conf)
            self.status(done, USAGE)
            self.assertIn(f"{conf}:2", done.err)
            self.assertIn("many", done.err)

    def test_bad_rules_are_refused(self):
        rules = self.dir / "r.yar"
        rules.write_text("rule broken {")
        conf = self.dir / "c.conf"
        conf.write_text(f"[run]\nrules = {rules}\n")
        done = davylamp("run", "--check", "--config", conf)
        self.status(done, USAGE)
        self.assertIn("r.yar", done.err)

    def test_check_says_what_holds(self):
        conf = self.dir / "c.conf"
        conf.write_text("[run]\ncpu_budget = 2.5\n")
        done = davylamp("run", "--check", "--config", conf)
        self.status(done, CLEAN)
        self.assertRegex(done.out, rf"cpu_budget = 2.5\s+; {conf}:2")

    def test_check_warns_of_what_any_user_can_be(self):
        conf = self.dir / "c.conf"
        weak = ("[exclude bench]\nreason = r\nuntil = 2099-01-01\n"
                f"exe = /x\nsha256 = {'0' * 64}\n")
        for more, warns in (("", True), ("unit = x.service\n", False)):
            conf.write_text(weak + more)
            done = davylamp("run", "--check", "--config", conf)
            self.status(done, CLEAN)
            self.assertEqual("exclude bench: any user" in done.err,
                             warns, done)

    def test_unknown_words(self):
        for words in ("run", "x"), ("run", "--x"), ("status", "x"):
            self.status(davylamp(*words), USAGE)

    @unittest.skipUnless(AS_ROOT, "not root")
    def test_unprivileged_it_does_what_it_can(self):
        home = self.dir / "home"
        home.mkdir()
        os.chmod(self.dir, 0o755)
        os.chown(home, support.NOBODY, support.NOBODY)
        conf = home / "c.conf"
        conf.write_text(f"[spool]\npath = {home}/spool\n[findings]\n"
                        f"state = {home}/state\n[run]\n"
                        f"status = {home}/status\n")
        os.chown(conf, support.NOBODY, support.NOBODY)
        log = open(self.dir / "log", "wb")
        self.p.start(*as_nobody(), DAVYLAMP, "run", "--config", conf,
                     stderr=log, cwd="/")
        wait_for(lambda: (home / "status").exists(), 30, "the socket")
        p = self.p.start(*as_nobody(), PLANT, "anon-rwx",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         cwd="/")
        p.stdin.write(MINER)
        p.stdin.close()
        self.p.ready(p)
        wait_for(lambda: list((home / "spool").glob("[0-9]-*.json")), 60,
                 "the finding")


if __name__ == "__main__":
    support.main()
