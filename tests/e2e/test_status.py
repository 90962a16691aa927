#!/usr/bin/python3
"""`davylamp status`, and a service of the test's that it asks."""
import json
import socket
import subprocess
import unittest

import support
from support import CLEAN, DAVYLAMP, INCOMPLETE, Case


class Defects(Case):
    """What `davylamp status` calls amiss, of a service that says so."""
    SOUND = {
        "sensors": {"mode": "BPF", "lost": 0, "programs": [
            {"name": "exec", "how": "fentry"}]},
        "processes": {"beyondLimit": 0},
        "findings": {"refused": 0, "displaced": 0, "spoolDropped": 0,
                     "spoolAside": 0},
        "rules": {"off": []}}

    def ask(self, answer, *words):
        path = self.dir / "status"
        conf = self.dir / "c.conf"
        conf.write_text(f"[run]\nstatus = {path}\n")
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            p = self.p.start(DAVYLAMP, "status", *words, "--config", conf,
                             stdout=subprocess.PIPE)
            fd, _ = listener.accept()
            with fd:
                fd.sendall(json.dumps(answer).encode())
            out = p.communicate(timeout=20)[0].decode()
            return p.returncode, " ".join(out.split())

    def test_all_is_well(self):
        self.assertEqual(self.ask(self.SOUND)[0], CLEAN)
        self.assertEqual(self.ask(self.SOUND, "--json")[0], CLEAN)

    def test_each_defect_counts_in_both_forms(self):
        for part, key, value, says in (
                ("sensors", "programs", [], "no BPF"),
                ("sensors", "lost", 7, "7 events were lost"),
                ("processes", "beyondLimit", 7, "7 times"),
                ("processes", "refused", 7, "7 processes are not looked at"),
                ("findings", "refused", 7, "7 findings were not opened"),
                ("findings", "displaced", 7, "7 findings were closed"),
                ("findings", "spoolDropped", 7, "7 events were dropped"),
                ("findings", "spoolAside", 7, "7 events can not be"),
                ("rules", "off", ["bad_\x1brule"], "rule bad_\\x1brule is off"),
                ("rules", "matcherDown", "gone", "can not be started: gone"),
                ("rules", "reloadFailed", "no", "reload failed: no")):
            with self.subTest(key):
                sick = dict(self.SOUND, **{
                    part: dict(self.SOUND[part], **{key: value})})
                status, out = self.ask(sick)
                self.assertEqual(status, INCOMPLETE, out)
                self.assertIn(says, out)
                self.assertEqual(out.count("defect"), 1, out)
                status, out = self.ask(sick, "--json")
                self.assertEqual(status, INCOMPLETE)
                self.assertEqual(json.loads(out), sick)


if __name__ == "__main__":
    support.main()
