#!/usr/bin/python3 -sE
"""davylamp rules test: what rules and hash sets find in a corpus, and what
they should not."""
import argparse
import datetime
import json
import pathlib
import platform
import sys

import corpus
import page
import report
import runner
import stats

RIGHT, WRONG, USAGE, INCOMPLETE, UNABLE = range(5)


def words():
    p = argparse.ArgumentParser(
        prog="davylamp rules test",
        description="Starts or opens each case of a corpus, scans it, and "
        "says what was found, missed, and found by mistake.",
        epilog="Exit status: 0 all as it should be (or, with --baseline, "
        "nothing worse than there), 1 not, 2 wrong words or manifest, 3 a "
        "case could not be run, 4 unable.")
    p.add_argument("--davylamp", required=True, help=argparse.SUPPRESS)
    p.add_argument("corpus", nargs="+", help="a manifest, TOML; "
                   "bench/README.md says its form")
    p.add_argument("-r", "--rules", action="append", default=[],
                   metavar="PATH", help="also these rules")
    p.add_argument("--no-default-rules", action="store_true")
    p.add_argument("--hashes", metavar="FILE", help="this hash set")
    p.add_argument("--case", action="append", metavar="WORD",
                   help="only cases whose name holds WORD")
    p.add_argument("--json", metavar="FILE", help="all of it, as JSON; - for "
                   "the standard output")
    p.add_argument("--html", metavar="FILE", help="one page, with plots")
    p.add_argument("--baseline", metavar="FILE",
                   help="what got better or worse since this --json")
    p.add_argument("--keep", metavar="DIR", help="keep a capture of each "
                   "process there")
    p.add_argument("--cost", action="store_true",
                   help="also what each rule costs, over the captures")
    return p.parse_intermixed_args()


def scan_words(o):
    w = [x for r in o.rules for x in ("--rules", r)]
    w += ["--no-default-rules"] if o.no_default_rules else []
    return w


def run_case(davylamp, case, keep):
    try:
        looks, kept = runner.look(davylamp, case, keep)
    except runner.Failed as e:
        return {"name": case.name, "kind": case.kind, "family": case.family,
                "variant": case.variant, "failed": str(e)}, []
    return stats.judge(case, looks), kept


def cost(davylamp, o, captures):
    status, lines, err = davylamp.ask(
        "rules", "cost", "--json", *scan_words(o),
        *(x for c in captures for x in ("--capture", c)))
    if status not in (0, 3):
        raise runner.Failed(err)
    return sorted(lines, key=lambda x: -x["seconds"])


def run(o):
    cases = [c for c in corpus.read(*o.corpus)
             if is_chosen(o, c.name)]
    if not cases:
        raise corpus.Bad(f"{' '.join(o.corpus)}: no case is called so")
    davylamp = runner.Davylamp(o.davylamp, scan_words(o) + (
        ["--hashes", o.hashes] if o.hashes else []))
    keep = pathlib.Path(o.keep) if o.keep else None
    if keep:
        keep.mkdir(parents=True, exist_ok=True, mode=0o700)
    result = {"corpus": " ".join(o.corpus), "machine": platform.machine(),
              "date": datetime.datetime.now(datetime.timezone.utc).isoformat(
                  timespec="seconds"), **davylamp.versions()}
    done, captures = [], []
    for i, case in enumerate(cases, 1):
        if sys.stderr.isatty():
            print(f"\r\033[K{i}/{len(cases)} {case.name}", end="",
                  file=sys.stderr, flush=True)
        one, kept = run_case(davylamp, case, keep)
        done.append(one)
        captures += kept
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    ran = [c for c in done if not c.get("failed")]
    result |= {"cases": done, "matrix": stats.matrix(ran),
               "families": stats.families(ran), "grid": stats.grid(ran),
               "sweep": stats.sweep(ran),
               "summary": stats.summary(ran)}
    if o.cost and captures:
        result["cost"] = cost(davylamp, o, captures)
    return result


def is_chosen(o, name):
    return not o.case or any(w in name for w in o.case)


def baseline(path, o):
    try:
        with open(path, encoding="utf-8") as f:
            old = json.load(f)
        old["cases"] = [c for c in old["cases"]
                        if not c.get("failed") and is_chosen(o, c["name"])]
        return old
    except OSError as e:
        raise corpus.Bad(f"{path}: {e.strerror}") from e
    except (ValueError, TypeError, KeyError) as e:
        raise corpus.Bad(f"{path}: is not what --json wrote") from e


def status_of(result):
    if any(c.get("failed") for c in result["cases"]):
        return INCOMPLETE
    if "changes" in result:
        return WRONG if result["changes"]["worse"] else RIGHT
    return RIGHT if all(c["right"] for c in result["cases"]) else WRONG


def main():
    o = words()
    old = baseline(o.baseline, o) if o.baseline else None
    result = run(o)
    if old:
        ran = [c for c in result["cases"] if not c.get("failed")]
        result["changes"] = stats.compare(old, {"cases": ran})
    if o.html:
        pathlib.Path(o.html).write_text(page.html(result), encoding="utf-8")
    if o.json and o.json != "-":
        pathlib.Path(o.json).write_text(json.dumps(result, indent=1) + "\n",
                                        encoding="utf-8")
    print(json.dumps(result) if o.json == "-" else report.text(result))
    return status_of(result)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except corpus.Bad as e:
        print(f"davylamp rules test: {e}", file=sys.stderr)
        sys.exit(USAGE)
    except (runner.Failed, OSError) as e:
        print(f"davylamp rules test: {e}", file=sys.stderr)
        sys.exit(UNABLE)
    except KeyboardInterrupt:
        sys.exit(UNABLE)
