"""The result as text for a terminal."""


def percent(s):
    if s["share"] is None:
        return "none"
    return (f"{s['count']} of {s['of']}, {100 * s['share']:.1f} % "
            f"(95 %: {100 * s['low']:.1f} to {100 * s['high']:.1f})")


def case_line(c):
    if c.get("failed"):
        return f"  could not run  {c['name']}: {c['failed']}"
    said = "right" if c["right"] else (
        "MISSED" if c["kind"] == "miner" else "FALSE ALARM")
    what = c["severity"].lower() if c["found"] else "/".join(c["verdicts"])
    share = f", {100 * c['share']:.0f} % of pages" if c["share"] else ""
    rules = ", ".join(c["rules"]) or "no rule"
    other = "" if c["kind"] != "miner" or c["family_named"] or (
        not c["found"]) else f" (not as {c['family']})"
    return f"  {said:<13}  {c['name']}: {what}{share}: {rules}{other}"


def grid(g):
    """Per family, how many builds' cases were named, and which not."""
    if not g["families"]:
        return []
    wide = max(len("FAMILY"), *map(len, g["families"]))
    lines = [f"{'FAMILY':<{wide}}  NAMED      NOT IN"]
    for family, row in g["families"].items():
        of, named = (sum(c[k] for c in row.values()) for k in ("of", "named"))
        missed = [v for v, c in row.items() if c["named"] < c["of"]]
        lines.append(f"{family:<{wide}}  {named:3} of {of:<3} "
                     f"{' '.join(missed)}".rstrip())
    return lines + [""]


def text(result):
    lines = []
    for kind, title in (("miner", "miners"), ("innocent", "innocents")):
        of = [c for c in result["cases"] if c["kind"] == kind]
        if of:
            lines += [title, *map(case_line, of), ""]
    lines += grid(result["grid"])
    if result["matrix"]:
        wide = max(len(m["rule"]) for m in result["matrix"])
        lines.append(f"{'RULE':<{wide}}  MINERS  INNOCENTS")
        lines += [f"{m['rule']:<{wide}}  {len(m['miner']):6}  "
                  f"{len(m['innocent']):9}" for m in result["matrix"]] + [""]
    s = result["summary"]
    lines += [f"recall        {percent(s['recall'])}",
              f"precision     {percent(s['precision'])}",
              f"false alarms  {percent(s['false_alarms'])}"]
    for kind, list_ in result.get("changes", {}).items():
        lines += [f"{kind:<8}      {x}" for x in list_]
    for c in result.get("cost", [])[:5]:
        lines.append(f"cost          {1e3 * c['seconds']:.1f} ms more for "
                     f"{c['rule']}")
    return "\n".join(lines)
