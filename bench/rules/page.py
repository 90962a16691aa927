"""The result as one HTML page: no network, no script, light and dark, and
readable on a telephone."""
from html import escape

STYLE = """
:root { color-scheme: light dark; --back: #fff; --ink: #1c1c1c;
  --soft: #5c5c5c; --line: #e2e2e2; --good: #2c7a2c; --bad: #b3261e;
  --c0: #0b6fb8; --c1: #c4541a }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --ink: #eaeaea;
  --soft: #a5a9ae; --line: #33373c; --good: #86c96c; --bad: #ff8a80;
  --c0: #5db2f0; --c1: #f0925c } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 1rem;
  background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p, figcaption { color: var(--soft) } figure { margin: 0 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line) }
td:first-child { min-width: 6.5rem }
td.wide { min-width: 15rem; overflow-wrap: anywhere }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
.numbers { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)) }
.numbers div { border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem } .numbers b { font-size: 1.5rem; display: block }
.numbers span { color: var(--soft); font-size: .875rem }
svg { width: 100%; max-width: 36rem; height: auto; display: block }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.grid { stroke: var(--line) } .l { fill: none; stroke-width: 2.5 }
.grid-table td, .grid-table th { padding: .3rem .35rem .3rem 0 }
.grid-table th:not(:first-child) { writing-mode: vertical-rl;
  transform: rotate(180deg); padding: .35rem 0 0; font-weight: 400;
  white-space: nowrap }
.grid-table td:first-child { position: sticky; left: 0;
  background: var(--back) }
details { margin-top: 1rem } summary { cursor: pointer; color: var(--soft) }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .6rem;
  align-items: center; font-size: .875rem }
@media (max-width: 40rem) { .bars { grid-template-columns: 1fr } }
.bars div { display: flex; align-items: center; gap: .4rem;
  font-variant-numeric: tabular-nums; white-space: nowrap }
.bars i { height: 1rem; border-radius: 2px; background: var(--c0);
  min-width: 2px }
"""


def cell(text, kind=""):
    text = escape(str(text)).replace("_", "_<wbr>")
    return f"<td{f' class={kind!r}' if kind else ''}>{text}</td>"


def table(heads, rows, kind=""):
    """@heads: (text, class); @rows: lists of ready cells."""
    head = "".join(f"<th{f' class={c!r}' if c else ''}>{escape(t)}</th>"
                   for t, c in heads)
    body = "".join(f"<tr>{''.join(r)}</tr>" for r in rows)
    kind = f" class={kind}" if kind else ""
    return (f"<div class=scroll><table{kind}><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>")


def number(title, s):
    if s["share"] is None:
        return (f"<div><span>{title}</span><b>&ndash;</b>"
                "<span>no case</span></div>")
    return (f"<div><span>{title}</span><b>{100 * s['share']:.1f} %</b><span>"
            f"{s['count']} of {s['of']}; 95 %: {100 * s['low']:.1f} to "
            f"{100 * s['high']:.1f} %</span></div>")


# ---- plots --------------------------------------------------------------------

WIDE, HIGH, LEFT, BOTTOM, TOP = 440, 270, 48, 44, 14


def place(x, y):
    return (LEFT + x * (WIDE - LEFT - 16),
            HIGH - BOTTOM - y * (HIGH - BOTTOM - TOP))


def sweep_plot(result):
    """Miners and innocents above each threshold, as shares of their kind."""
    counts = {k: sum(c["kind"] == k and not c.get("failed")
                     for c in result["cases"]) for k in ("miner", "innocent")}
    parts = []
    for i in range(0, 101, 25):
        x, y = place(i / 100, 0)[0], place(0, i / 100)[1]
        parts.append(f"<line class=grid x1={LEFT} x2={WIDE - 16} y1={y:.1f} "
                     f"y2={y:.1f} /><text x={LEFT - 8} y={y + 4:.1f} "
                     f"text-anchor=end>{i} %</text><text x={x:.1f} "
                     f"y={HIGH - BOTTOM + 18} text-anchor="
                     f"{'end' if i == 100 else 'middle'}>{i} %"
                     "</text>")
    for key, kind, color in (("miners", "miner", "--c0"),
                             ("innocents", "innocent", "--c1")):
        if not counts[kind]:
            continue
        points = " ".join(
            "{:.1f},{:.1f}".format(*place(s["threshold"],
                                          s[key] / counts[kind]))
            for s in result["sweep"])
        parts.append(f"<polyline class=l points='{points}' "
                     f"style='stroke: var({color})'><title>{key}</title>"
                     "</polyline>")
    x, _ = place(0.10, 0)
    parts.append(f"<line class=grid x1={x:.1f} x2={x:.1f} y1={TOP} "
                 f"y2={HIGH - BOTTOM} stroke-dasharray='4 3' />")
    parts.append(f"<text x={WIDE // 2} y={HIGH - 6} text-anchor=middle>"
                 "threshold of the page share</text>")
    return (f"<figure><svg viewBox='0 0 {WIDE} {HIGH}' role=img "
            "aria-label='cases above each threshold'>"
            f"{''.join(parts)}</svg><figcaption>Cases whose best page share "
            "reaches the threshold: <span style='color: var(--c0)'>miners"
            "</span>, <span style='color: var(--c1)'>innocents</span>. "
            "Dashed: a tenth.</figcaption></figure>")


def bars(rows, unit):
    """Horizontal bars of (name, value)."""
    most = max((v for _, v in rows), default=0) or 1
    return "<div class=bars>" + "".join(
        f"<span>{escape(name)}</span><div><i style='width: "
        f"{max(0.0, 78 * v / most):.1f}%'></i>{v:.1f} {unit}</div>"
        for name, v in rows) + "</div>"


# ---- parts --------------------------------------------------------------------

def case_row(c):
    if c.get("failed"):
        return [cell(c["name"]), cell("could not run", "bad"),
                cell(c["failed"]), cell(""), cell("")]
    said = "right" if c["right"] else (
        "missed" if c["kind"] == "miner" else "false alarm")
    return [cell(c["name"]), cell(said, "good" if c["right"] else "bad"),
            cell(c["severity"] or "/".join(c["verdicts"])),
            cell(f"{100 * c['share']:.0f} %" if c["share"] else "", "n"),
            cell(", ".join(c["rules"]), "wide")]


CASE_HEADS = [("case", ""), ("", ""), ("verdict", ""), ("pages", "n"),
              ("rules that hold", "")]


def wrong(result):
    of = [c for c in result["cases"] if c.get("failed") or not c["right"]]
    return "<h2>Missed, false alarms, not run</h2>" + (
        table(CASE_HEADS, map(case_row, of)) if of else "<p>none</p>")


def cases(result):
    out = ""
    for kind, title in (("miner", "miners"), ("innocent", "innocents")):
        of = [c for c in result["cases"] if c["kind"] == kind]
        if of:
            out += (f"<details{' open' if len(of) < 30 else ''}><summary>all "
                    f"{len(of)} {title}</summary>" +
                    table(CASE_HEADS, map(case_row, of)) + "</details>")
    return "<h2>Cases</h2>" + out


def grid_cell(c):
    if not c:
        return cell("")
    good = c["named"] == c["of"]
    return cell(("yes" if good else "no") if c["of"] == 1 else
                f"{c['named']}/{c['of']}", "good" if good else "bad")


def grid(result):
    g = result["grid"]
    if not g["variants"]:
        return ""
    return ("<h2>Families by builds</h2><p>Is the family named?</p>" + table(
        [("", "")] + [(v, "") for v in g["variants"]],
        [[cell(f)] + [grid_cell(row.get(v)) for v in g["variants"]]
         for f, row in g["families"].items()], "grid-table"))


def matrix(result):
    """Innocents are red where what they hold came to a false alarm."""
    by_name = {c["name"]: c for c in result["cases"]}
    rows = []
    for m in result["matrix"]:
        alarm = any(not by_name[x]["right"] for x in m["innocent"])
        families = dict.fromkeys(by_name[x]["family"] for x in m["miner"])
        rows.append([cell(m["rule"]), cell(len(m["miner"]), "n"),
                     cell(len(m["innocent"]), "n bad" if alarm else "n"),
                     cell(", ".join([*families] +
                                    [f"({x})" for x in m["innocent"]]),
                          "wide")])
    return "<h2>Rules</h2>" + table(
        [("rule", ""), ("miners", "n"), ("innocents", "n"),
         ("families (innocents in brackets)", "")], rows)


def families(result):
    rows = [[cell(f["family"]), cell(f"{f['count']} of {f['of']}", "n"),
             cell(f["named"], "n"),
             cell(f"{100 * f['low']:.0f} to {100 * f['high']:.0f} %", "n")]
            for f in result["families"]]
    return "<h2>Families</h2>" + table(
        [("family", ""), ("found", "n"), ("by name", "n"),
         ("95 %", "n")], rows)


def changes(result):
    if "changes" not in result:
        return ""
    rows = [[cell(kind, {"worse": "bad", "better": "good"}.get(kind, "")),
             cell(x)] for kind, list_ in result["changes"].items()
            for x in list_]
    return "<h2>Since the baseline</h2>" + (
        table([("", ""), ("what", "")], rows) if rows
        else "<p>nothing changed</p>")


def cost(result):
    if not result.get("cost"):
        return ""
    rows = [[cell(c["rule"]), cell(f"{1e3 * c['seconds']:.1f}", "n"),
             cell(c["places"], "n"), cell(c["windowBytes"], "n"),
             cell(c["matches"], "n"),
             cell(c["slow"] or f"{c['string']} ({c['atomBytes']} bytes, met "
                  f"{c['atomMet']} times)" if c["string"] or c["slow"]
                  else "", "wide")] for c in result["cost"]]
    return ("<h2>Cost</h2><p>CPU time beyond a look for no rule, each rule "
            "alone.</p>" + bars([(c["rule"], 1e3 * c["seconds"])
                                 for c in result["cost"]], "ms") + table(
        [("rule", ""), ("ms", "n"), ("places", "n"), ("bytes shown", "n"),
         ("matches", "n"), ("string at fault", "")], rows))


def html(result):
    s = result["summary"]
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>davylamp rules test</title><style>{STYLE}</style></head>"
        f"<body><h1>davylamp rules test</h1><p>{escape(result['corpus'])}, "
        f"{escape(result['date'])}, {escape(result['machine'])}; "
        f"{result['rules']} rules, version "
        f"{escape(result['ruleSetVersion'])}; {result['pageDigests']} page "
        f"digests, version {escape(result['hashSetVersion'])}</p>"
        "<div class=numbers>" + number("recall", s["recall"]) +
        number("precision", s["precision"]) +
        number("false alarms", s["false_alarms"]) + "</div>" +
        changes(result) + wrong(result) + grid(result) + families(result) +
        "<h2>Threshold of the page share</h2>" + sweep_plot(result) +
        matrix(result) + cases(result) + cost(result) + "</body></html>\n")
