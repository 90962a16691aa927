"""Series over memory that is made for it."""

import os
import random
import statistics
import subprocess

import svg
from record import Record

MODES = ["copy", "hash", "sweep", "look"]


def per_second(size, seconds):
    return size / 1e9 / seconds


def middle(runs):
    return statistics.median(run["cpu_s"] for run in runs)


def speed(runs):
    return statistics.median(per_second(run["bytes"], run["cpu_s"])
                             for run in runs)


# ---- dense -----------------------------------------------------------------

def dense(b):
    r = Record("dense", "Dense memory: each stage alone, and yara")
    contents = {"random": "random", "zero": "zero", "huge": "huge"}
    for kind in ("code", "text"):
        contents[kind], about = b.corpus(kind)
        r.note(about)
    for name in ("random", "code", "text", "zero", "huge"):
        for permission in ("rw-", "r-x", "file-r-x", "file-r--"):
            if permission.startswith("file") and name != "code":
                continue
            with b.target(contents[name], b.options.mib, permission) as t:
                dense_target(b, r, f"{name} {permission}", t)
    r.settings = {"mib": b.options.mib}
    r.note("GB/s: decimal, per CPU second (user and system). copy: "
           "mem_next() alone, the limit. hash: and zero test, digest, look-up "
           "of every page. sweep: all before libyara, shipped rules. look: "
           "the whole process with libyara. whole: `davylamp scan --pid`, "
           "start included. rw- is plain data: digests are not asked, few "
           "rules look at it. file: a file, mapped so. x yara: yara's CPU / "
           "whole's.")
    form = "{:.2f}"
    table = r.table("memory", [
        ("copy", "copy\nGB/s", form), ("hash", "hash\nGB/s", form),
        ("sweep", "sweep\nGB/s", form), ("look", "look\nGB/s", form),
        ("whole", "whole\nGB/s", form), ("yara", "yara\nGB/s", "{:.3f}"),
        ("hash %", "hash\n% copy", "{:.0f}"),
        ("sweep %", "sweep\n% copy", "{:.0f}"),
        ("x yara", "x yara", "{:.1f}")])
    plot = svg.bars("Dense memory", f"{b.options.mib} MiB; GB per CPU second",
                    "GB/s", [(w, [r.value(w, m) for m in
                                  ("copy", "hash", "sweep", "whole", "yara")])
                             for w in r.whats()],
                    ["copy", "hash", "sweep", "davylamp scan", "yara"])
    return r, table, plot


def dense_target(b, r, what, t):
    size = t.end - t.start
    for n in range(b.options.rounds):
        runs = b.stages(t, MODES)
        copy = middle(runs["copy"])
        for mode in MODES:
            r.add(what, mode, "GB/s", "more", speed(runs[mode]))
        r.add(what, "hash %", "%", "more", 100 * copy / middle(runs["hash"]))
        r.add(what, "sweep %", "%", "more",
              100 * copy / middle(runs["sweep"]))
        r.add(what, "suspects", "", "", runs["sweep"][0]["suspects"])
        r.add(what, "suspect KiB", "KiB", "",
              runs["sweep"][0]["suspect_bytes"] / 1024)
        d = b.scan([t.pid])
        r.add(what, "whole", "GB/s", "more", per_second(size, d["cpu_s"]))
        if n >= b.options.yara_rounds:
            continue
        y = b.yara([t.pid])
        r.add(what, "yara", "GB/s", "", per_second(size, y["cpu_s"]))
        r.add(what, "x yara", "x", "more", y["cpu_s"] / d["cpu_s"])
    if what.startswith("huge"):
        r.note(f"{what}: {100 * t.huge / size:.0f} % of it in huge pages.")
    r.note(f"filter for {what.split()[1]}: {runs['about'][0]['filter']}.")


# ---- farm, untouched, processes, linear ------------------------------------

def against_yara(b, r, what, t, rounds=None, scans=1):
    """davylamp over all of @t's processes, and yara over each.  @scans by
    davylamp in each round: one of hundredths of a second differs by a fifth
    from the next."""
    before = t.memory()
    for n in range(rounds or b.options.rounds):
        runs = [b.scan(t.pids) for _ in range(scans)]
        for run in runs:
            r.add(what, "davylamp", "s", "less", run["cpu_s"])
        # yara takes 20 s here and differs little from round to round.
        if n < (b.options.yara_rounds if b.options.long else 2):
            y = b.yara(t.pids)
            r.add(what, "yara", "s", "", y["cpu_s"])
            r.add(what, "x yara", "x", "more", y["cpu_s"] / middle(runs))
        if n == 0:
            after = t.memory()
            for key in before:
                r.add(what, f"{key} change", "KiB", "",
                      (after[key] - before[key]) / 1024)


AGAINST = [("davylamp", "davylamp\nCPU s", "{:.4f}"),
           ("yara", "yara\nCPU s", "{:.2f}"), ("x yara", "x yara", "{:.0f}"),
           ("Pss change", "Pss\nKiB", "{:+.0f}"),
           ("Rss change", "RSS\nKiB", "{:+.0f}"),
           ("Swap change", "swap\nKiB", "{:+.0f}")]


def against_plot(r, title, subtitle):
    return svg.bars(title, subtitle, "CPU seconds", [
        (w, [r.value(w, "davylamp"), r.value(w, "yara")])
        for w in r.whats()], ["davylamp", "yara"], log=True)


def farm(b):
    r = Record("farm", "Fork farm: 32 processes that share their memory")
    for mib in [64] + ([1024] if b.options.long else []):
        for permission in ("rw-", "r-x"):
            with b.target("random", mib, permission, 32) as t:
                against_yara(b, r, f"{mib} MiB {permission}", t,
                             1 if mib > 64 else None)
    r.note("Changes of Pss, RSS and swap are of the target's processes in "
           "sum, by the first round of both; both should leave them alone.")
    return r, r.table("memory", AGAINST), against_plot(
        r, "32 forked processes", "CPU seconds, log scale")


def untouched(b):
    r = Record("untouched", "4 GiB that are mapped and were never written")
    with b.target("untouched", 1, "rw-") as t:
        against_yara(b, r, "1 MiB: start only", t, scans=9)
    with b.target("untouched", 4096, "rw-") as t:
        against_yara(b, r, "4 GiB", t, scans=9)
    return r, r.table("memory", AGAINST), against_plot(
        r, "4 GiB untouched", "CPU seconds, log scale")


def processes(b):
    r = Record("processes", "Cost against processes that share memory")
    counts = [1, 2, 4, 8, 16, 32, 64] + ([256] if b.options.long else [])
    for n in counts:
        with b.target("random", 64, "r-x", n) as t:
            for _ in range(b.options.rounds):
                cpu = b.scan(t.pids)["cpu_s"]
                r.add(str(n), "davylamp", "s", "less", cpu)
                r.add(str(n), "a process", "ms", "less", 1e3 * cpu / n)
    table = r.table("processes", [("davylamp", "CPU s", "{:.4f}"),
                                  ("a process", "ms each", "{:.2f}")])
    plot = svg.lines("64 MiB shared by N processes", "CPU seconds of "
                     "davylamp scan", "processes", "CPU seconds", [
                         ("davylamp", [(n, r.value(str(n), "davylamp"))
                                       for n in counts])])
    return r, table, plot


def linear(b):
    r = Record("linear", "Time against resident memory")
    sizes = [256, 512, 1024, 2048] + ([4096, 8192] if b.options.long else [])
    for mib in sizes:
        with b.target("random", mib, "r-x") as t:
            for _ in range(b.options.rounds):
                cpu = b.scan([t.pid])["cpu_s"]
                r.add(str(mib), "davylamp", "s", "less", cpu)
                r.add(str(mib), "a GiB", "s", "less", cpu / mib * 1024)
    table = r.table("MiB", [("davylamp", "CPU s", "{:.4f}"),
                            ("a GiB", "s/GiB", "{:.4f}")])
    plot = svg.lines("Time against resident memory", "CPU seconds of "
                     "davylamp scan", "MiB resident", "CPU seconds", [
                         ("davylamp", [(m, r.value(str(m), "davylamp"))
                                       for m in sizes])])
    return r, table, plot


# ---- rules -----------------------------------------------------------------

KINDS = {"23 bytes and more": (23, 48), "15 and more": (15, 32),
         "7 and more": (7, 16), "4 to 6": (4, 6), "mixed": None,
         "wildcards": (12, 32), "nocase": (11, 32)}


def word(rng, least, most):
    """As configuration and messages have them."""
    letters = "etaoinsrhldcumfpgwybvk0123456789"
    return "".join(rng.choice("/_-.: =") if i and rng.random() < 0.12 else
                   rng.choice(letters) for i in range(rng.randint(least, most)))


def literal(rng, least, most):
    """Half are bytes, half words."""
    if rng.random() < 0.5:
        return bytes(rng.randrange(256)
                     for _ in range(rng.randint(least, most)))
    return word(rng, least, most).encode()


def a_string(rng, kind):
    sizes = KINDS[kind] or rng.choices(
        [(23, 48), (15, 22), (7, 14)], [40, 20, 40])[0]
    if kind == "nocase":
        return f'"{word(rng, *sizes)}" nocase'
    hexed = literal(rng, *sizes).hex(" ")
    if kind == "wildcards":
        hexed += " ?? [1-4] " + literal(rng, 4, 8).hex(" ")
    return f"{{ {hexed} }}"


def write_rules(path, kind, n):
    """@n rules of one string each, the same every time."""
    rng = random.Random(f"{kind} {n}")
    with open(path, "w", encoding="ascii") as f:
        for i in range(n):
            f.write(f'rule bench_{i} {{ meta: where = "any" strings: '
                    f"$a = {a_string(rng, kind)} condition: $a }}\n")


def rules(b):
    """A user's rules alone, on code; yara for 200 mixed ones (--long: all)."""
    r = Record("rules", "Cost against the number of rules, on code")
    counts = [10, 50, 200, 1000, 2000]
    code, about = b.corpus("code")
    mib = min(b.options.mib, 256)
    r.note(f"{mib} MiB of code, rw-; r-x: the same, executable, so that "
           f"digests and fragments are looked up, too. {about}. GB/s of "
           "sweep, per CPU second; % of the same run's copy. Literals are "
           "made: half random bytes, half words; mixed: 40 % of 23 bytes and "
           "more, 20 % of 15 to 22, 40 % of 7 to 14; 4 to 6: by Teddy where "
           "they are few (prefilter_teddy.c); wildcards: 12 to 32 bytes, "
           "a jump, 4 to 8 bytes; nocase: words of 11 to 32.")
    with b.target(code, mib, "rw-") as t:
        for kind in KINDS:
            for n in counts:
                rules_round(b, r, t, kind, n)
    with b.target(code, mib, "r-x") as t:
        rules_round(b, r, t, "mixed", 200, " r-x")
    table = r.table("rules", [("sweep", "sweep\nGB/s", "{:.2f}"),
                              ("sweep %", "sweep\n% copy", "{:.0f}"),
                              ("whole", "whole\nGB/s", "{:.2f}"),
                              ("yara", "yara\nGB/s", "{:.3f}"),
                              ("x yara", "x yara", "{:.1f}")])
    plot = svg.lines("Cost against the number of rules", f"{mib} MiB of code; "
                     "sweep, % of the same run's copy", "rules", "%", [
                         (kind, [(n, r.value(f"{kind}, {n}", "sweep %"))
                                 for n in counts]) for kind in KINDS],
                     log_x=True)
    return r, table, plot


def rules_round(b, r, t, kind, n, permission=""):
    what, size = f"{kind}, {n}{permission}", t.end - t.start
    path = b.path(f"rules{n}.yar")
    write_rules(path, kind, n)
    compared = b.options.long or (kind == "mixed" and n == 200)
    words = ("--no-default-rules", "--rules", path)
    compiled = b.compiled(path) if compared else None
    for _ in range(min(3, b.options.rounds)):
        runs = b.stages(t, ["copy", "sweep"], *words)
        sweep = middle(runs["sweep"])
        r.add(what, "sweep", "GB/s", "more", per_second(size, sweep))
        r.add(what, "sweep %", "%", "more",
              100 * middle(runs["copy"]) / sweep)
        if not compared:
            continue
        d, y = b.scan([t.pid], *words), b.yara([t.pid], compiled)
        r.add(what, "whole", "GB/s", "more", per_second(size, d["cpu_s"]))
        r.add(what, "yara", "GB/s", "", per_second(size, y["cpu_s"]))
        r.add(what, "x yara", "x", "more", y["cpu_s"] / d["cpu_s"])


# ---- digests, variants -----------------------------------------------------

def digests(b):
    r = Record("digests", "Cost against the number of page digests")
    counts = [10**4, 10**5, 10**6] + ([10**7] if b.options.long else [])
    with b.target("random", min(b.options.mib, 256), "r-x") as t:
        size = t.end - t.start
        for n in counts:
            made = b.path(f"set{n}")
            subprocess.run([b.path("makeset"), str(n), made], check=True,
                           stdout=subprocess.DEVNULL)
            for _ in range(b.options.rounds):
                runs = b.stages(t, ["copy", "hash"], "--hashes", made)
                cpu = middle(runs["hash"])
                r.add(str(n), "hash", "GB/s", "more", per_second(size, cpu))
                r.add(str(n), "hash %", "%", "more",
                      100 * middle(runs["copy"]) / cpu)
            os.unlink(made)
    r.note("Random digests: no page is known, as on a clean machine.")
    table = r.table("digests", [("hash", "hash\nGB/s", "{:.2f}"),
                                ("hash %", "% of\ncopy", "{:.0f}")])
    plot = svg.lines("Cost against the number of digests", "copy, zero test, "
                     "digest and look-up", "digests", "% of copy", [
                         ("hash", [(n, r.value(str(n), "hash %"))
                                   for n in counts])], log_x=True)
    return r, table, plot


def variants(b):
    r = Record("variants", "Each way to run the hot loop, against each")
    names = subprocess.run([b.path("bench"), "--variants"], check=True,
                           capture_output=True, text=True).stdout.split()
    code, _ = b.corpus("code")
    modes = ["copy", "hash", "sweep", "inner"]
    for content in ("random", "code"):
        with b.target(code if content == "code" else content,
                      min(b.options.mib, 256), "r-x") as t:
            for _ in range(b.options.rounds):
                for name in names:
                    runs = b.stages(t, modes, "--variant", name)
                    for mode in modes:
                        r.add(f"{content}, {name}", mode, "GB/s", "more",
                              speed(runs[mode]))
    r.note("GB/s per CPU second. inner: sweep without the copy, in cache.")
    if len(names) == 1:
        r.note(f"Only {names[0]} is there yet.")
    table = r.table("variant", [(m, f"{m}\nGB/s", "{:.2f}") for m in modes])
    plot = svg.bars("Variants", "GB per CPU second", "GB/s", [
        (w, [r.value(w, m) for m in modes]) for w in r.whats()], modes)
    return r, table, plot
