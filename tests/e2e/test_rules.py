#!/usr/bin/env python3
"""Each block of tests/rules/cases.txt, planted in a process: the bytes make
the rule match, and their nearest innocent lookalike does not."""
import random
import re
import time
import unittest

import support
from support import ROOT, Processes, scan

CASES = ROOT / "tests" / "rules" / "cases.txt"


class Planted:
    """Bytes in a kind of memory, and whether they must match."""

    def __init__(self, rule, matches, number, line):
        self.rule, self.matches, self.line = rule, matches, line
        self.name = f"{rule}_{'found' if matches else 'lookalike'}"
        if number > 1:
            self.name += f"_{number}"
        self.kind, self.plants, self.about = None, [], ""
        self.pid = self.rules = None

    def bytes(self):
        """Every plant at a multiple of 16, pseudo-random filler between."""
        filler = random.Random(self.name)
        data = filler.randbytes(4096 - 64)
        for p in self.plants:
            data += filler.randbytes(64 + -len(data) % 16)
            data += p
        return data + filler.randbytes(64)


def read_cases(text):
    cases, rule, n = [], None, {}
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word in ("rule", "lookalike"):
            rule = rest if word == "rule" else rule
            key = rule, word == "rule"
            n[key] = n.get(key, 0) + 1
            cases.append(Planted(*key, n[key], number))
            cases[-1].about = rest
        elif word == "in":
            cases[-1].kind = rest
        elif word == "plant":
            cases[-1].plants.append(bytes.fromhex(rest))
        elif word == "gap":
            cases[-1].plants.append(bytes(int(rest)))
        else:
            raise SystemExit(f"{CASES}:{number}: what is '{word}'?")
    return cases


def look(cases):
    """Fills in what one scan of all @cases says."""
    with Processes() as p:
        for c in cases:
            # Idle plain data is taken for a rule carrier, whatever is in it:
            # only a process that works can be a finding there.
            c.busy = c.kind == "anon-rw-"
            c.pid = p.plant(c.kind, c.bytes(), busy=c.busy).pid
        if any(c.busy for c in cases):
            time.sleep(0.6)
        result = scan(*[c.pid for c in cases])
        for c in cases:
            c.result = result
            c.rules = result.rules_of(c.pid)


def look_all(cases):
    quiet = [c for c in cases if c.kind != "anon-rw-"]
    busy = [c for c in cases if c.kind == "anon-rw-"]
    look(quiet)
    for i in range(0, len(busy), 2):
        pair = busy[i:i + 2]
        for _ in range(5):  # on a machine at work a share can stay small
            look(pair)
            if all(c.rules or not c.matches for c in pair):
                break


CASES_READ = read_cases(CASES.read_text())


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        look_all(CASES_READ)

    def test_every_rule_has_both(self):
        rules = set()
        for f in sorted((ROOT / "rules").glob("*.yar")):
            rules |= set(re.findall(
                r"^(?:global\s+)?rule\s+(\w+)", f.read_text(), re.M))
        for what, matches in ("bytes", True), ("a lookalike", False):
            tested = {c.rule for c in CASES_READ if c.matches == matches}
            self.assertEqual(rules - tested, set(),
                             f"rules without {what} in {CASES}")
            self.assertEqual(tested - rules, set(),
                             f"{CASES} names rules that do not exist")


def add_test(case):
    def test(self):
        self.assertIsNotNone(case.result.summary, str(case.result))
        where = f"{CASES}:{case.line}, in {case.kind}: {case.about}"
        if case.matches:
            self.assertIn(case.rule, case.rules or [], where)
        else:
            self.assertNotIn(case.rule, case.rules or [], where)
    setattr(Rules, f"test_{case.name}", test)


for _case in CASES_READ:
    add_test(_case)

if __name__ == "__main__":
    support.main()
