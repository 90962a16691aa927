#!/usr/bin/env python3
"""Real proof-of-work programs are found, innocent ones and those that carry
rules are not: through the public command line only.  The miners run without a
network and not for long."""
import json
import os
import pathlib
import pty
import signal
import subprocess
import tempfile
import time
import unittest

import support
from support import (AS_ROOT, BUILD, CACHE, CLEAN, FINDINGS, ROOT, Case,
                     Processes, davylamp, have, scan, wait_for)

VALIDATE = ROOT.parent / "shared" / "scc" / "validate_finding"
ETHASH = "@ethereumjs/ethash@10.0.0"
X11 = "wasm-x11-hash@0.0.2"
DRIVER = BUILD / "tests" / "randomx_driver"

# Every finding that any test saw; the last test gives them to the validator.
seen = []


def look(*pids, **more):
    result = scan(*pids, **more)
    seen.extend(json.dumps(f, ensure_ascii=False) for f in result.findings)
    return result


def cpu_seconds(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    user, system = stat.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def families(finding):
    """{family: the best share of a binary's pages} by page digests."""
    shares = {}
    for s in finding["indicator"]["signatures"]:
        m = s.get("memoryHashSignature")
        if m:
            shares[m["binaryFamily"]] = max(
                d["percentPagesMatched"] for d in m["detections"])
    return shares


# ---- miners -------------------------------------------------------------------


class RandomX(Case):
    """tests/tools/randomx_driver.c, with Debian's librandomx."""

    def mine(self, mode):
        p, pid = self.p.offline(DRIVER, mode, stdout=subprocess.PIPE)
        self.p.ready(p)
        return pid

    def check(self, mode, jit):
        pid = self.mine(mode)
        result = look(pid)
        self.status(result, FINDINGS)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        properties = f["sourceProperties"]
        self.assertEqual(properties["scanState"], "complete", str(result))
        self.assertEqual(properties["liveJit"], jit, str(result))
        self.assertEqual(f["severity"], "HIGH")
        self.assertEqual("RandomX_JIT_Superscalar" in result.rules_of(pid),
                         jit)
        self.assertIn("RandomX_AES_Keys", result.rules_of(pid))
        self.assertEqual(f["processes"][0]["binary"]["path"], str(DRIVER))
        self.assertEqual(f["processes"][0]["args"][-1], mode)
        self.assertEqual(int(f["processes"][0]["userId"]), os.geteuid())
        return pid, f

    def test_compiled(self):
        pid, f = self.check("jit", True)
        rule = [r for r in f["sourceProperties"]["rules"]
                if r["rule"] == "RandomX_JIT_Superscalar"][0]
        self.assertEqual(rule["family"], "RandomX")
        self.assertIn("x", rule["strings"][0]["permissions"])
        self.assertEqual(rule["strings"][0]["region"], "")
        # The same finding for people.
        text = davylamp("scan", "--pid", pid)
        self.status(text, FINDINGS)
        for word in ("HIGH", "RandomX", str(pid), str(DRIVER), "% of a core",
                     "live proof-of-work JIT", "rwxp anonymous", "1 finding"):
            self.assertIn(word, text.out)

    def test_compiled_write_xor_execute(self):
        self.check("secure", True)

    def test_interpreter(self):
        self.check("interpreter", False)

    def test_renamed_to_a_kernel_thread(self):
        name = "[kworker/1:0]"
        p, pid = self.p.offline("bash", "-c",
                                f'exec -a "{name}" "$0" interpreter',
                                DRIVER, stdout=subprocess.PIPE)
        self.p.ready(p)
        result = look(pid)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertEqual(f["processes"][0]["args"][0], name)
        self.assertEqual(f["processes"][0]["binary"]["path"], str(DRIVER))

    def test_executable_is_deleted(self):
        copy = self.dir / "cron"
        copy.write_bytes(DRIVER.read_bytes())
        copy.chmod(0o755)
        p, pid = self.p.offline(copy, "jit", stdout=subprocess.PIPE)
        self.p.ready(p)
        copy.unlink()
        result = look(pid)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertTrue(f["sourceProperties"]["executableDeleted"])
        self.assertEqual(f["processes"][0]["binary"]["path"], str(copy))

    def test_known_library_by_its_pages(self):
        pid = self.mine("interpreter")
        text = pathlib.Path(f"/proc/{pid}/maps").read_text()
        library = [x.split(None, 5)[5] for x in text.splitlines()
                   if "librandomx" in x][0]
        made = self.dir / "own.set"
        done = davylamp("hash", "build", "-o", made, "--family", "Canary",
                        library)
        self.status(done, CLEAN)
        result = look(pid, args=["--hashes", made])
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertGreater(families(f)["Canary"], 0.3)
        self.assertLessEqual(families(f)["Canary"], 1)
        self.assertEqual(f["category"], "Execution: Cryptocurrency Mining "
                                        "Combined Detection")
        # By its pages alone.
        none = self.dir / "none.yar"
        none.write_text("rule None { condition: false }\n")
        result = look(pid, args=["--hashes", made, "--no-default-rules",
                                 "--rules", none])
        self.assertEqual(result.of(pid)["category"],
                         "Execution: Cryptocurrency Mining Hash Match")
        query = davylamp("hash", "query", pid)
        self.status(query, FINDINGS)
        self.assertIn("RandomX", query.out)

    def test_among_all_processes(self):
        """One command, no words: the whole machine."""
        pid = self.mine("jit")
        result = look(timeout=600)
        self.status(result, FINDINGS)
        self.assertIsNotNone(result.of(pid), str(result))
        self.assertGreater(result.summary["processes"], 1)
        named = [f["processes"][0] for f in result.findings]
        ours = [p for p in named if "davylamp" in
                p["binary"].get("path", "").rpartition("/")[2]]
        self.assertEqual(ours, [], "our own programs")

    def test_two_scans_do_not_find_each_other(self):
        """Another davylamp's matcher holds rules, and windows of miners."""
        import test_rules
        data = b"".join(c.bytes() for c in test_rules.CASES_READ
                        if c.rule.startswith("RandomX") and c.matches) * 99
        miners = [self.p.plant("file-r--", data).pid for _ in range(12)]
        words = [x for pid in miners for x in ("--pid", pid)]
        seen_at_work = 0
        for i in range(30):
            other = self.p.start(support.DAVYLAMP, "scan", *words)
            kids = wait_for(lambda: other.poll() is not None or
                            support.children(other.pid))
            time.sleep(0.05 + i % 10 * 0.03)
            os.killpg(other.pid, signal.SIGSTOP)
            if other.poll() is None and kids is not True:
                seen_at_work += 1
                result = scan(other.pid, *kids)
                for pid in (other.pid, *kids):
                    self.assertIsNone(result.of(pid), str(result))
            self.p.stop(other)
        self.assertGreater(seen_at_work, 0, "the other was always over")


def npm_modules(module):
    """The folder with an npm module, or a reason why there is none."""
    if not have("node") or not have("npm"):
        return None, "no node or no npm"
    name = module.rpartition("@")[0]
    folder = CACHE / name.rpartition("/")[2]
    if not (folder / "node_modules" / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund",
             "--no-package-lock", "--ignore-scripts", "--fetch-timeout=30000",
             "--fetch-retries=1", module],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=240)
        if done.returncode:
            said = done.stdout.decode(errors="replace").split("\n")
            return None, f"npm can not install {module}: " + next(
                (x for x in said if "ERR" in x), "?")[:120]
    return folder / "node_modules", ""


class Npm(Case):
    def mine(self, module, script):
        modules, reason = npm_modules(module)
        if not modules:
            self.skipTest(reason)
        p, pid = self.p.offline("node", ROOT / "tests/e2e" / script,
                                modules, stdout=subprocess.PIPE)
        self.p.ready(p, seconds=120)
        result = look(pid)
        self.status(result, FINDINGS)
        return result.rules_of(pid), str(result)

    def test_ethash_in_node(self):
        rules, said = self.mine(ETHASH, "ethash.cjs")
        self.assertTrue([r for r in rules if r.startswith("Ethash")], said)

    def test_x11_in_webassembly(self):
        rules, said = self.mine(X11, "x11.cjs")
        self.assertIn("X11_Data", rules, said)

    def test_randomx_in_webassembly(self):
        if not have("node") or not have("clang") or not have("wasm-ld"):
            self.skipTest("no node, clang or wasm-ld")
        for level in "-O1", "-O2", "-O3", "-Os", "-Oz":
            with self.subTest(level), tempfile.TemporaryDirectory() as folder:
                module = folder + "/item.wasm"
                subprocess.run(
                    ["clang", "--target=wasm32", level, "-nostdlib",
                     "-ffreestanding", "-Wl,--no-entry", "-o", module,
                     ROOT / "tests/e2e/randomx_item.c"], check=True)
                p, pid = self.p.offline(
                    "node", ROOT / "tests/e2e/randomx_item.cjs", module,
                    stdout=subprocess.PIPE)
                self.p.ready(p, seconds=120)
                result = look(pid)
                self.status(result, FINDINGS)
                self.assertEqual(result.rules_of(pid), ["RandomX_Wasm"],
                                 str(result))
                self.p.stop(p)


class Monerod(Case):
    """Debian's node, which mines on a chain of its own; unpacked into
    build/e2e, never installed."""
    FOLDER = CACHE / "monero"
    # From the functional tests of the Monero project.
    ADDRESS = ("42ey1afDFnn4886T7196doS9GPMzexD9gXpsZJDwVjeRVdFCSoHnv7KPbBeGp"
               "zJBzHRCAs9UxqeoyFQMYbqSWYTfJJQAWDm")

    def unpack(self):
        if have("monerod") or (self.FOLDER / "usr/bin/monerod").exists():
            return
        if not have("apt-get") or not have("dpkg-deb"):
            self.skipTest("no apt: monerod comes from Debian's package")
        self.FOLDER.mkdir(parents=True, exist_ok=True)
        plan = subprocess.run(["apt-get", "install", "-s", "-y",
                               "--no-install-recommends", "monero"],
                              capture_output=True, text=True)
        names = [x.split()[1] for x in plan.stdout.splitlines()
                 if x.startswith("Inst ")]
        if plan.returncode or not names:
            self.skipTest("apt has no package monero")
        done = subprocess.run(["apt-get", "download", "-q", *names],
                              cwd=self.FOLDER, capture_output=True, text=True,
                              timeout=180)
        if done.returncode:
            self.skipTest("apt-get download: " +
                          (done.stderr.strip() or "?").splitlines()[-1])
        for deb in self.FOLDER.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, self.FOLDER], check=True)
            deb.unlink()

    def start(self, command):
        libraries = ":".join(map(str, self.FOLDER.glob("usr/lib/*-linux-gnu")))
        env = dict(os.environ, LD_LIBRARY_PATH=libraries)
        p, pid = self.p.offline(
            have("monerod") or self.FOLDER / "usr/bin/monerod",
            "--offline", "--regtest",
            "--fixed-difficulty", "1000000", "--data-dir",
            self.dir / "chain", "--max-concurrency", "1",
            env=env, stdin=subprocess.PIPE)
        p.stdin.write(command.encode() + b"\n")
        p.stdin.flush()  # and stays open: at its end monerod ends
        return pid

    def test_mining(self):
        self.unpack()
        pid = self.start(f"start_mining {self.ADDRESS} 1")
        for _ in range(40):  # it makes its dataset first
            time.sleep(1)
            result = look(pid)
            f = result.of(pid)
            if f and f["sourceProperties"]["liveJit"]:
                break
        self.status(result, FINDINGS)
        self.assertTrue([r for r in result.rules_of(pid)
                         if r.startswith("RandomX")], str(result))
        self.assertTrue(f["sourceProperties"]["liveJit"], str(result))
        self.assertEqual(f["severity"], "HIGH")

    def test_idle_is_low(self):
        """It has the code by design, so it is named; nothing shows work."""
        self.unpack()
        pid = self.start("status")
        time.sleep(4)
        result = look(pid)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        if cpu_seconds(pid) < 0.7:  # else its start was the work
            self.assertEqual(f["severity"], "LOW", str(result))


# ---- innocent programs -----------------------------------------------------------


class Innocent(unittest.TestCase):
    """All of them run at once; one scan; none is a finding."""

    @classmethod
    def setUpClass(cls):
        cls.p = Processes()
        cls.addClassCleanup(cls.p.close)
        cls.pids = {}
        for name, start in cls.starts().items():
            process = start()
            if process:
                cls.pids[name] = process.pid
        time.sleep(2)
        cls.result = look(*cls.pids.values())

    @classmethod
    def starts(cls):
        p, d = cls.p, cls.p.dir

        def run(program, *args, **more):
            path = have(*program.split("|"))
            return path and p.start(path, *args, **more)

        def zeros(program, *args):
            with open("/dev/zero", "rb") as f:
                return run(program, *args, stdin=f)

        def repository():
            git = have("git")
            if not git:
                return None
            subprocess.run([git, "init", "-q", d / "repo"], check=True)
            return p.start(git, "-C", d / "repo", "cat-file", "--batch",
                           stdin=subprocess.PIPE)

        def redis():
            # The package redis-tools has the server under another name.
            path = have("redis-server", "redis-check-rdb")
            return path and p.start(
                "redis-server", "--port", "0", "--save", "", "--unixsocket",
                d / "redis.sock", "--dir", d, executable=path)

        def postgres():
            binary = have("postgres") or next(map(str, sorted(pathlib.Path(
                "/usr/lib/postgresql").glob("*/bin/postgres"))), None)
            if not binary or not support.AS_ROOT:
                return None
            data = d / "pg"
            data.mkdir()
            os.chmod(d, 0o755)
            os.chown(data, support.NOBODY, support.NOBODY)
            real = pathlib.Path(binary).resolve()
            me = support.as_nobody()
            done = subprocess.run(
                [*me, real.parent / "initdb", "-D", data, "-N", "-A", "trust"],
                capture_output=True, cwd="/", env=dict(os.environ, HOME="/"))
            if done.returncode:
                return None
            return p.start(*me, real, "-D", data, "-k", data, "-h", "",
                           cwd="/")

        hashes = ("import hashlib\nx = b'x' * 4096\nwhile 1:\n"
                  " for f in hashlib.sha256, hashlib.blake2b, hashlib.sha3_512:"
                  "\n  x = f(x * 64).digest()\n"
                  " hashlib.scrypt(x, salt=x, n=1024, r=8, p=1)\n")
        ciphers = ("const c = require('crypto'); for (let k = '0';;)"
                   " k = c.scryptSync(k, 'salt', 64).toString('hex') +"
                   " c.createHash('sha3-256').update(k).digest('hex')")
        return {
            "openssl": lambda: run("openssl", "speed", "-seconds", "60",
                                   "sha256"),
            "node": lambda: run("node", "-e", ciphers),
            "python3": lambda: run("python3", "-c", hashes),
            "redis": redis,
            "postgres": postgres,
            "gpg": lambda: zeros("gpg", "--homedir", d, "--batch",
                                 "--print-md", "SHA512"),
            "perl": lambda: run("perl", "-e",
                                "$x = 1; $x = ($x * 6364136223846793005 + 1)"
                                " & 0xffffffff while 1"),
            "git": repository,
            "gzip": lambda: zeros("gzip", "-9"),
            "sha256sum": lambda: zeros("sha256sum"),
        }


def add_innocent(name):
    def test(self):
        if name not in self.pids:
            self.skipTest(f"{name} is not installed or did not start")
        pid = self.pids[name]
        self.assertTrue(os.path.exists(f"/proc/{pid}/exe"),
                        f"{name} ended early")
        self.assertIsNotNone(self.result.summary, str(self.result))
        self.assertIsNone(self.result.of(pid), str(self.result))
        self.assertEqual(self.result.summary["partial"], 0, str(self.result))
        self.assertEqual(self.result.summary["clean"], len(self.pids),
                         str(self.result))
    setattr(Innocent, f"test_{name}", test)


for _name in ("openssl", "node", "python3", "redis", "postgres", "gpg",
              "perl", "git", "gzip", "sha256sum"):
    add_innocent(_name)


# ---- who carries rules --------------------------------------------------------


class Carriers(Case):
    def rules_text(self):
        return b"".join(f.read_bytes()
                        for f in sorted((ROOT / "rules").glob("*.yar")))

    def innocent(self, pid):
        result = look(pid)
        self.assertIsNotNone(result.summary, str(result))
        self.assertIsNone(result.of(pid), str(result))
        self.assertEqual(result.summary["processes"], 1, str(result))
        return result

    def test_another_scanner_with_our_rules(self):
        if not have("yara"):
            self.skipTest("no yara")
        rules = self.dir / "rules.yar"
        rules.write_bytes(self.rules_text())
        with open(self.dir / "large", "wb") as f:
            f.truncate(8 << 30)  # sparse: tens of seconds to scan
        p = self.p.start("yara", rules, self.dir / "large")
        wait_for(lambda: cpu_seconds(p.pid) > 1, what="yara to work")
        self.innocent(p.pid)
        self.assertIsNone(p.poll(), "yara was too fast to be looked at")

    def test_a_shell_with_rules_in_a_variable(self):
        p = self.p.start("bash", "-c", 'rules=$(cat); echo ready; '
                         'while :; do read -t 600 <> <(:); done',
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        p.stdin.write(self.rules_text())
        p.stdin.close()
        self.p.ready(p)
        self.innocent(p.pid)

    def in_terminal(self, program, *args):
        path = have(*program.split("|"))
        if not path:
            self.skipTest(f"no {program}")
        rules = self.dir / "rules.yar"
        rules.write_bytes(self.rules_text())
        try:
            ours, theirs = pty.openpty()
        except OSError as e:  # a chroot without /dev/pts
            self.skipTest(f"no terminal to be had: {e}")
        self.addCleanup(os.close, ours)
        p = self.p.start(path, *args, rules, stdin=theirs, stdout=theirs,
                         stderr=theirs, env=dict(os.environ, TERM="vt100"))
        os.close(theirs)
        time.sleep(1)
        self.assertIsNone(p.poll(), f"{program} ended")
        self.innocent(p.pid)

    def test_vi(self):
        self.in_terminal("vim|vim.tiny|vi", "-u", "NONE")

    def test_less(self):
        self.in_terminal("less")

    def test_a_signature_database_at_work(self):
        """The bytes themselves, of many families, on a heap."""
        import test_rules
        data = b"".join(c.bytes() for c in test_rules.CASES_READ if c.matches)
        p = self.p.plant("anon-rw-", data, busy=True)
        time.sleep(0.6)
        self.innocent(p.pid)

    def decoys(self, more, *before):
        """Many families' constants in a script's heap, at work, and @more."""
        import test_rules
        (self.dir / "decoys").write_bytes(b"".join(
            c.bytes() for c in test_rules.CASES_READ
            if c.matches and c.kind == "anon-rw-"))
        p = self.p.start(
            *before, "/usr/bin/python3", "-c", "import mmap, socket, sys\n"
            f"data = open(sys.argv[1], 'rb').read()\n{more}\n"
            "print('ready', flush=True)\nwhile True: pass",
            self.dir / "decoys", stdout=subprocess.PIPE)
        if AS_ROOT:  # its share of a core decides
            os.setpriority(os.PRIO_PROCESS, p.pid, -10)
        self.p.ready(p)
        time.sleep(0.6)
        return p.pid

    def more_than_data(self, pid, what):
        result = look(pid)
        f = result.of(pid)
        self.assertIsNotNone(f, str(result))
        self.assertEqual(f["severity"], "MEDIUM", str(result))
        self.assertIn(what, f["sourceProperties"]["besidesPlainData"])
        self.assertIn(what, f["description"])
        self.assertIn(what, davylamp("scan", "--pid", pid).out)

    def test_a_script_with_decoys_alone(self):
        self.innocent(self.decoys(""))

    def test_decoys_do_not_hide_code(self):
        self.more_than_data(self.decoys(
            "code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | "
            "mmap.MAP_ANONYMOUS, 7)"), "executable memory that no file holds")

    def test_decoys_do_not_hide_a_pool(self):
        # A network of its own, in which a pool answers: SIOCSIFADDR and
        # SIOCSIFFLAGS of netdevice(7).
        self.more_than_data(self.decoys(
            "import fcntl, struct\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "fcntl.ioctl(s, 0x8916, struct.pack('16sH2x4s8x', b'lo', 2, "
            "socket.inet_aton('192.0.2.1')))\n"
            "fcntl.ioctl(s, 0x8914, struct.pack('16sh22x', b'lo', 1))\n"
            "s = socket.create_server(('192.0.2.1', 3333))\n"
            "c = socket.create_connection(('192.0.2.1', 3333))\n"
            "t = s.accept()", "unshare", "-n" if AS_ROOT else "-rn"),
            "connected to another machine")

    def test_a_miners_file_that_is_only_read(self):
        """A file manager, a virus scanner, a package manager: mapped, not
        run."""
        libraries = list(pathlib.Path("/usr/lib").glob(
            "*-linux-gnu/librandomx.so.0*"))
        if not libraries:
            self.skipTest("no librandomx")
        p = self.p.start(
            "python3", "-c", "import mmap, time\n"
            f"f = open('{libraries[0]}', 'rb')\n"
            "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n"
            "sum(m[::4096])\nprint('ready', flush=True)\ntime.sleep(600)",
            stdout=subprocess.PIPE)
        self.p.ready(p)
        time.sleep(2)  # its start is work, too
        result = look(p.pid)
        f = result.of(p.pid)
        # Its constants are in a file's pages, where a miner has them: at
        # most a LOW finding that says nothing runs.
        if f:
            self.assertEqual(f["severity"], "LOW", str(result))
            self.assertFalse(f["sourceProperties"]["liveJit"])


# ---- what comes out -----------------------------------------------------------


class Zz(unittest.TestCase):
    """Last: all that the tests above saw."""

    def test_findings_are_valid_for_scc(self):
        if not VALIDATE.exists():
            self.skipTest(f"no {VALIDATE}")
        if subprocess.run(["/usr/bin/python3", "-c",
                           "import google.protobuf"],
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no python3-protobuf")
        self.assertTrue(seen, "no test saw a finding")
        for line in seen[:15] + seen[-5:]:
            done = subprocess.run([VALIDATE, "v2"], input=line.encode(),
                                  capture_output=True)
            said = (done.stdout + done.stderr).decode()
            self.assertEqual(done.returncode, 0, said + line)
            self.assertTrue(said.splitlines()[-1].startswith("OK"), said)
            self.assertNotIn("INVALID", said)

    def test_summary_is_last(self):
        p = Processes()
        with p:
            a = p.plant("anon-rw-", b"nothing").pid
            result = scan(a)
        self.assertEqual(list(result.lines[-1]), ["summary"], str(result))
        self.assertEqual(result.status, CLEAN)
        for key in ("processes", "findings", "clean", "partial", "vanished",
                    "readBytes", "rules", "seconds"):
            self.assertIn(key, result.summary)


if __name__ == "__main__":
    support.main()
