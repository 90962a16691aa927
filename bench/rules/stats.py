"""Counting: what was found, what was missed, and how sure that is."""
import math

PAGES_MIN = 4  # as verdict.c: fewer pages are chance
LEVEL = {"": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3}


def wilson(k, n, z=1.96):
    """The 95 % interval of a share of k in n (Wilson 1927): unlike the
    normal one it holds for few cases and for shares near 0 and 1."""
    if not n:
        return 0.0, 1.0
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n +
                                           z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(k, n):
    low, high = wilson(k, n)
    return {"of": n, "count": k, "share": k / n if n else None,
            "low": low, "high": high}


def names_family(look, family):
    """Does what was found name the family?  In rules or in binaries."""
    return not family or any(
        x["family"] == family for x in look["rules"] + look["binaries"])


def best_share(looks):
    """The largest share of a binary's pages, some of them executable."""
    return max((b["seen"] / b["pages"] for x in looks for b in x["binaries"]
                if b["seen"] >= PAGES_MIN and b["seenCode"]), default=0.0)


def judge(case, looks):
    """What the looks at one case come to."""
    findings = [x for x in looks if x["verdict"] == "finding"]
    worst = max((x.get("severity", "") for x in findings), key=LEVEL.get,
                default="")
    result = {
        "name": case.name, "kind": case.kind, "family": case.family,
        "variant": case.variant, "found": bool(findings), "severity": worst,
        "complete": all(x["state"] == "complete" for x in looks),
        "family_named": any(names_family(x, case.family) for x in findings),
        "share": best_share(looks),
        "rules": sorted({r["rule"] for x in looks for r in x["rules"]}),
        "verdicts": sorted({x["verdict"] for x in looks}),
        "looks": looks,
    }
    alarm = LEVEL[worst] > LEVEL[case.accept]
    result["right"] = result["found"] if case.is_miner else not alarm
    return result


def matrix(results):
    """Per rule: miners and innocents in which it held."""
    rules = {}
    for r in results:
        for name in r["rules"]:
            row = rules.setdefault(name, {"rule": name, "miner": [],
                                          "innocent": []})
            row[r["kind"]].append(r["name"])
    return sorted(rules.values(), key=lambda x: x["rule"])


def families(results):
    """Recall per family of the manifest."""
    named = {}
    for r in results:
        if r["kind"] == "miner":
            named.setdefault(r["family"] or "(none)", []).append(r)
    return [{"family": f, **share(sum(x["found"] for x in rs), len(rs)),
             "named": sum(x["family_named"] for x in rs)}
            for f, rs in sorted(named.items())]


def grid(results):
    """Families by variants: how many cases were found under their name."""
    cells = {}
    for r in results:
        if r["kind"] == "miner" and r["variant"]:
            cell = cells.setdefault(r["family"], {}).setdefault(
                r["variant"], {"of": 0, "named": 0})
            cell["of"] += 1
            cell["named"] += r["found"] and r["family_named"]
    variants = dict.fromkeys(r["variant"] for r in results
                             if r["kind"] == "miner" and r["variant"])
    return {"variants": list(variants), "families": cells}


def sweep(results, steps=100):
    """For each threshold of page share: miners above it, innocents above."""
    miners = [r["share"] for r in results if r["kind"] == "miner"]
    innocents = [r["share"] for r in results if r["kind"] == "innocent"]
    return [{"threshold": i / steps,
             "miners": sum(s >= max(i / steps, 1e-9) for s in miners),
             "innocents": sum(s >= max(i / steps, 1e-9) for s in innocents)}
            for i in range(steps + 1)]


def summary(results):
    miners = [r for r in results if r["kind"] == "miner"]
    innocents = [r for r in results if r["kind"] == "innocent"]
    hits = sum(r["right"] for r in miners)
    alarms = sum(not r["right"] for r in innocents)
    return {"recall": share(hits, len(miners)),
            "precision": share(hits, hits + alarms),
            "false_alarms": share(alarms, len(innocents))}


def compare(old, new):
    """What got better or worse since @old, case by case."""
    before = {c["name"]: c for c in old.get("cases", [])}
    changes = {"worse": [], "better": [], "new": [], "gone": []}
    for c in new["cases"]:
        b = before.pop(c["name"], None)
        if b is None:
            changes["new"].append(c["name"])
            continue
        if b["right"] != c["right"]:
            kind = "better" if c["right"] else "worse"
            what = ("found" if c["found"] else "missed") if (
                c["kind"] == "miner") else (
                "no false alarm" if c["right"] else "false alarm")
            changes[kind].append(f"{c['name']}: {what}")
        lost = sorted(set(b["rules"]) - set(c["rules"]))
        won = sorted(set(c["rules"]) - set(b["rules"]))
        good, bad = ("better", "worse") if c["kind"] == "miner" else (
            "worse", "better")
        if lost:
            changes[bad].append(f"{c['name']}: no more {', '.join(lost)}")
        if won:
            changes[good].append(f"{c['name']}: now {', '.join(won)}")
    changes["gone"] = sorted(before)
    return changes
