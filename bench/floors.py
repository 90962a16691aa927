"""What the project promises, beside what was measured."""

from record import Record

# (what is promised, series, row, measure, at least, or at most if negative)
PROMISES = [
    ("sweep, % of copy, random r-x", "dense", "random r-x", "sweep %", 65),
    ("sweep, % of copy, code r-x", "dense", "code r-x", "sweep %", 65),
    ("sweep, % of copy, text r-x", "dense", "text r-x", "sweep %", 65),
    ("sweep, % of copy, random rw-", "dense", "random rw-", "sweep %", 65),
    ("sweep, % of copy, code rw-", "dense", "code rw-", "sweep %", 65),
    ("sweep, % of copy, text rw-", "dense", "text rw-", "sweep %", 65),
    ("x yara, random r-x", "dense", "random r-x", "x yara", 18),
    ("x yara, code r-x", "dense", "code r-x", "x yara", 18),
    ("x yara, text r-x", "dense", "text r-x", "x yara", 18),
    ("x yara, random rw-", "dense", "random rw-", "x yara", 18),
    ("x yara, code rw-", "dense", "code rw-", "x yara", 18),
    ("x yara, text rw-", "dense", "text rw-", "x yara", 18),
    ("x yara, 200 mixed rules, code rw-", "rules", "mixed, 200", "x yara",
     15),
    ("x yara, 200 mixed rules, code r-x", "rules", "mixed, 200 r-x",
     "x yara", 15),
    ("x yara, fork farm rw-", "farm", "64 MiB rw-", "x yara", 200),
    ("x yara, fork farm r-x", "farm", "64 MiB r-x", "x yara", 200),
    ("x yara, 4 GiB untouched", "untouched", "4 GiB", "x yara", 1000),
    ("davylamp's peak, MiB, 2 GiB target", "memory",
     "a target of 2048 MiB", "peak", -16),
    ("its peak, MiB, with 10^6 digests", "memory",
     "256 MiB, 1000000 digests", "peak", -(16 + 1.5e6 / 2**20)),
    ("detection with BPF, p50 s", "detection", "BPF", "p50", -3),
    ("detection with BPF, p99 s", "detection", "BPF", "p99", -5),
    # With 95 % confidence: a median alone can be luck.
    ("change of a server's p99, %, at most", "latency", "with",
     "p99, at most", -2),
    ("service, % of a core in 10 min", "budget", "churn, 31 min",
     "most used", -1),
    ("its memory grew in half an hour, %", "budget", "churn, 31 min",
     "own, last to first minutes", -2),
    ("its peak, MiB", "budget", "churn, 31 min", "peak", -16),
    ("a reload's peak, x", "budget", "churn, 31 min",
     "reload, peak to before", -1.3),
    ("the matcher's peak, MiB", "memory", "a target of 2048 MiB",
     "matcher peak", -64),
]


def check(series):
    """A record of its own: the promises whose series are in @series, as
    record.load() and Record.as_json() have them."""
    r = Record("floors", "What is promised, and what was measured")
    lines = []
    for words, name, what, measure, bound in PROMISES:
        got = next((row["median"] for row in series.get(name, {"rows": []})[
            "rows"] if (row["what"], row["measure"]) == (what, measure)),
            None)
        if got is None:
            continue
        kept = got >= bound if bound > 0 else got <= -bound
        r.add(words, "measured", "", "more" if bound > 0 else "less", got)
        r.add(words, "promised", "", "", abs(bound))
        lines.append(f"{words:38} {'>=' if bound > 0 else '<='} "
                     f"{abs(bound):7.1f} {got:9.1f}  "
                     f"{'kept' if kept else 'MISSED'}")
    return r, "\n".join(lines or ["none of it was measured"])
