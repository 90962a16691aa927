#!/usr/bin/env python3
"""The tuning bench: what `rules explain`, `cost`, `capture` and `test` say of
processes whose memory is known, and of what was saved of them."""
import json
import pathlib
import subprocess
import sys
import unittest

import support
from support import (AS_ROOT, CLEAN, FINDINGS, INCOMPLETE, ROOT, USAGE, Case,
                     as_nobody, davylamp)

sys.path.insert(0, str(ROOT / "bench" / "rules"))
import corpus  # noqa: E402
import page    # noqa: E402
import stats   # noqa: E402

HERE = b"planted by the tuning bench's test"
NEVER = "this is nowhere in that process"
RULES = f'''
rule Bench_Image {{ meta: family = "Bench" algorithm = "none" reference = "-"
  strings: $here = "{HERE.decode()}" $never = "{NEVER}"
  condition: $here or $never }}
rule Bench_Both {{ meta: family = "Bench" algorithm = "none" reference = "-"
  strings: $here = "{HERE.decode()}" $never = "{NEVER}"
  condition: all of them }}
rule Bench_Code {{ meta: family = "Bench" where = "code"
  strings: $here = "{HERE.decode()}" condition: $here }}
'''


class Bench(Case):
    def setUp(self):
        super().setUp()
        self.rules = self.dir / "bench.yar"
        self.rules.write_text(RULES)
        self.only = ("--no-default-rules", "--rules", self.rules)
        filler = bytes(range(256)) * 64
        self.target = self.p.plant("anon-r--", filler + HERE + filler)

    def capture(self, name="case.dlc", pid=None):
        out = self.dir / name
        done = davylamp("rules", "capture", pid or self.target.pid, "-o", out)
        self.status(done, CLEAN)
        return out

    def explain(self, rule, *what):
        done = davylamp("rules", "explain", "--json", *self.only, rule, *what)
        self.status(done, CLEAN, FINDINGS)
        return done.lines[0], done

    # ---- explain

    def test_explains_what_holds(self):
        said, done = self.explain("Bench_Image", self.target.pid)
        self.assertEqual(done.status, FINDINGS)
        self.assertTrue(said["holds"])
        here, never = said["strings"]
        self.assertEqual((here["string"], never["string"]),
                         ("$here", "$never"))
        self.assertEqual(never["matches"], 0)
        first = here["first"][0]
        self.assertTrue(first["counts"])
        self.assertIn("r--p", first["region"])
        context = bytes.fromhex(first["context"])
        self.assertIn(HERE, context)
        self.assertEqual(int(first["contextAddress"], 16) +
                         context.index(HERE), int(first["address"], 16))

    def test_explains_what_does_not_hold(self):
        said, done = self.explain("Bench_Both", self.target.pid)
        self.assertEqual(done.status, CLEAN)
        self.assertFalse(said["holds"])
        self.assertEqual([s["matches"] > 0 for s in said["strings"]],
                         [True, False])

    def test_explains_what_does_not_count(self):
        said, _ = self.explain("Bench_Code", self.target.pid)
        self.assertFalse(said["holds"])
        first = said["strings"][0]["first"]
        self.assertTrue(first)
        self.assertFalse(any(m["counts"] for m in first))

    def test_explains_in_words(self):
        done = davylamp("rules", "explain", *self.only, "Bench_Code",
                        self.target.pid)
        self.assertIn("does not hold", done.out)
        self.assertIn("does not count here", done.out)
        self.assertIn("planted by", done.out)

    def test_no_such_rule(self):
        done = davylamp("rules", "explain", *self.only, "\x1b[31mNo",
                        self.target.pid)
        self.status(done, USAGE)
        self.assertIn("there is no rule", done.err)
        self.assertNotIn("\x1b", done.err)

    # ---- capture

    def test_a_capture_is_scanned_as_the_process(self):
        saved = self.capture()
        live = davylamp("scan", "--json", "--verbose", *self.only, "--pid",
                        self.target.pid)
        dead = davylamp("scan", "--json", "--verbose", *self.only,
                        "--capture", saved)
        a, b = live.lines[0]["look"], dead.lines[0]["look"]
        for key in ("pid", "process", "verdict", "state", "rules",
                    "binaries"):
            self.assertEqual(a[key], b[key], key)
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)

    def test_a_capture_outlives_the_process(self):
        saved = self.capture()
        self.p.stop(self.target)
        said, _ = self.explain("Bench_Image", "--capture", saved)
        self.assertTrue(said["holds"])

    def test_a_capture_is_not_overwritten(self):
        saved = self.capture()
        was = saved.read_bytes()
        done = davylamp("rules", "capture", self.target.pid, "-o", saved)
        self.status(done, USAGE)
        self.assertIn("remove it or name another", done.err)
        self.assertEqual(saved.read_bytes(), was)

    def test_a_damaged_capture(self):
        saved = self.capture()
        whole = saved.read_bytes()
        for n in (0, 7, 100, len(whole) // 2, len(whole) - 1):
            saved.write_bytes(whole[:n])
            done = davylamp("scan", "--capture", saved)
            self.status(done, USAGE)
            self.assertIn("case.dlc", done.err)
        at = len(whole) - len(whole) // 4  # in the pages
        saved.write_bytes(whole[:at] + bytes(64) + whole[at + 64:])
        done = davylamp("scan", "--capture", saved)
        self.status(done, USAGE, INCOMPLETE)

    @unittest.skipUnless(AS_ROOT, "needs another user")
    def test_another_users_process(self):
        self.dir.chmod(0o777)
        done = davylamp("rules", "capture", 1, "-o", self.dir / "x",
                        prefix=as_nobody())
        self.status(done, INCOMPLETE)
        self.assertFalse((self.dir / "x").exists())

    # ---- cost

    def test_cost(self):
        saved = self.capture()
        done = davylamp("rules", "cost", "--json", "--rounds", 1, *self.only,
                        "--capture", saved, self.target.pid)
        self.status(done, CLEAN)
        rows = {x["rule"]: x for x in done.lines}
        self.assertEqual(set(rows), {"(all rules)", "Bench_Image",
                                     "Bench_Both", "Bench_Code"})
        image = rows["Bench_Image"]
        self.assertEqual(image["matches"], 2)  # process and capture
        self.assertGreaterEqual(image["places"], 2)
        self.assertGreaterEqual(image["windowBytes"], 2 * len(HERE))
        self.assertEqual(image["string"], "$here")
        self.assertGreaterEqual(image["atomMet"], 2)
        self.assertEqual(rows["Bench_Code"]["matches"], 0)
        order = [x["seconds"] for x in done.lines[1:]]
        self.assertEqual(order, sorted(order, reverse=True))

    # ---- test

    def manifest(self, text):
        path = self.dir / "corpus.toml"
        path.write_text(text)
        return path

    def run_test(self, manifest, *args):
        out = self.dir / "out.json"
        done = davylamp("rules", "test", manifest, *self.only, "--json", out,
                        *args)
        return done, json.loads(out.read_text()) if out.exists() else None

    def test_a_corpus(self):
        self.capture()
        manifest = self.manifest('''
[[case]]
name = "saved"
kind = "miner"
family = "Bench"
capture = "case.dlc"
[[case]]
name = "sleep <b>"
kind = "innocent"
command = ["sleep", "30"]
wait = 0.2
''')
        html = self.dir / "out.html"
        done, result = self.run_test(manifest, "--html", html)
        self.status(done, CLEAN)
        self.assertTrue(all(c["right"] for c in result["cases"]))
        self.assertEqual(result["summary"]["recall"]["count"], 1)
        text = html.read_text()
        self.assertNotIn("<b>", text.replace("<b>100.0 %</b>", "").replace(
            "<b>0.0 %</b>", ""))
        self.assertIn("sleep &lt;b&gt;", text)
        for word in ("http:", "https:", "<script", "url("):
            self.assertNotIn(word, text)

    def test_a_corpus_in_two_manifests(self):
        """And a matrix of families and variants."""
        self.capture()
        case = ('[[case]]\nname = "{0}"\nkind = "miner"\nfamily = "{1}"\n'
                'variant = "{2}"\ncapture = "case.dlc"\n')
        manifest = self.manifest(case.format("one", "Bench", "gcc <i>") +
                                 case.format("two", "Bench", "clang"))
        second = self.dir / "second.toml"
        second.write_text(case.format("three", "Other", "clang"))
        html = self.dir / "out.html"
        done, result = self.run_test(manifest, second, "--html", html)
        self.status(done, CLEAN)
        self.assertEqual(result["grid"], {
            "variants": ["gcc <i>", "clang"], "families": {
                "Bench": {v: {"of": 1, "named": 1}
                          for v in ("gcc <i>", "clang")},
                "Other": {"clang": {"of": 1, "named": 0}}}})
        text = html.read_text()
        self.assertIn("gcc &lt;i&gt;", text)
        self.assertIn("<td class='good'>yes</td>", text)
        self.assertIn("<td class='bad'>no</td>", text)
        done, _ = self.run_test(manifest, manifest)
        self.status(done, USAGE)
        self.assertIn("two cases are called 'one'", done.err)

    def test_a_baseline(self):
        self.capture()
        manifest = self.manifest('[[case]]\nname = "saved"\nkind = "miner"\n'
                                 'family = "Bench"\ncapture = "case.dlc"\n')
        done, result = self.run_test(manifest)
        self.status(done, CLEAN)
        before = self.dir / "before.json"
        before.write_text(json.dumps(result))
        done, _ = self.run_test(manifest, "--baseline", before)
        self.status(done, CLEAN)
        self.rules.write_text(RULES.replace(HERE.decode(), NEVER))
        done, result = self.run_test(manifest, "--baseline", before)
        self.status(done, FINDINGS)
        self.assertIn("saved: missed", result["changes"]["worse"])

    def test_a_false_alarm(self):
        self.capture()
        manifest = self.manifest('[[case]]\nname = "x"\nkind = "innocent"\n'
                                 'capture = "case.dlc"\n')
        done, result = self.run_test(manifest)
        self.status(done, FINDINGS)
        self.assertIn("FALSE ALARM", done.out)

    def test_what_can_not_run(self):
        manifest = self.manifest('[[case]]\nname = "x"\nkind = "miner"\n'
                                 'command = ["/nowhere/at-all"]\nwait = 1\n')
        done, _ = self.run_test(manifest)
        self.status(done, INCOMPLETE)

    def test_bad_manifests(self):
        for text, word in (
                ("", "has no [[case]]"), ("nonsense", "corpus.toml"),
                ('[[case]]\nname = "x"\n', "kind must be"),
                ('[[case]]\nname = "x"\nkind = "miner"\n', "command or a"),
                ('[[case]]\nname = "x"\nkind = "miner"\ncapture = "a"\n'
                 'typo = 1\n', "unknown key 'typo'"),
                ('[[case]]\nname = "x"\nkind = "miner"\ncapture = 1\n',
                 "wrong type")):
            done, _ = self.run_test(self.manifest(text))
            self.status(done, USAGE)
            self.assertIn(word, done.err)

    # ---- hash sets of processes

    def test_set_of_a_process(self):
        out = self.dir / "p.set"
        self.status(davylamp("hash", "build", "-o", out, "--family", "Bench",
                             "--pid", self.target.pid), CLEAN)
        done = davylamp("hash", "query", "--hashes", out, self.target.pid)
        self.status(done, FINDINGS)
        self.assertIn("100.0 %", done.out)
        self.status(davylamp("hash", "verify", out), CLEAN)
        self.status(davylamp("hash", "diff", out, out), CLEAN)
        other = self.dir / "q.set"
        self.status(davylamp("hash", "build", "-o", other, "--family", "X",
                             support.DAVYLAMP), CLEAN)
        self.status(davylamp("hash", "diff", out, other), FINDINGS)
        merged = [self.dir / "m1.set", self.dir / "m2.set"]
        for m, sets in zip(merged, ((out, other), (other, out, other))):
            self.status(davylamp("hash", "merge", "-o", m, *sets), CLEAN)
        self.assertEqual(*(m.read_bytes() for m in merged))
        damaged = bytearray(out.read_bytes())
        damaged[200] ^= 1
        out.write_bytes(damaged)
        self.status(davylamp("hash", "verify", out), USAGE)

    def test_code_of_a_process(self):
        shell = self.p.start("/bin/bash", "-c", "echo ready; read x",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.p.ready(shell)
        done = davylamp("hash", "compare", shell.pid, "/bin/bash",
                        support.DAVYLAMP)
        self.status(done, CLEAN)
        same, other = done.out.splitlines()
        self.assertGreater(float(same.split()[0]), 90)
        self.assertLess(float(other.split()[0]), 50)


class Statistics(unittest.TestCase):
    """Against values from the literature (Newcombe 1998, method 3)."""

    def test_wilson(self):
        for k, n, low, high in ((81, 263, 0.2553, 0.3662),
                                (15, 148, 0.0624, 0.1605),
                                (0, 20, 0.0000, 0.1611),
                                (1, 29, 0.0061, 0.1718)):
            a, b = stats.wilson(k, n)
            self.assertAlmostEqual(a, low, places=4)
            self.assertAlmostEqual(b, high, places=4)
        self.assertEqual(stats.wilson(0, 0), (0, 1))

    def test_an_accepted_severity_is_no_alarm(self):
        look = {"verdict": "finding", "severity": "LOW", "state": "complete",
                "rules": [], "binaries": []}
        case = corpus.Case("wallet", "innocent", accept="LOW")
        self.assertTrue(stats.judge(case, [look])["right"])
        self.assertFalse(stats.judge(case, [{**look, "severity": "HIGH"}]
                                     )["right"])


if __name__ == "__main__":
    assert pathlib.Path(page.__file__).exists()
    support.main()
