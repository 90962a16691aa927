"""Plots as self-contained SVG, light or dark as the reader's screen is."""

import math
from xml.sax.saxutils import escape

WIDE, HIGH = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 74, 58

STYLE = """
text { font: 13px system-ui, sans-serif; fill: var(--ink) }
.title { font-size: 16px; font-weight: 600 }
.sub, .tick { font-size: 12px; fill: var(--soft) }
.grid { stroke: var(--line); stroke-width: 1 }
.axis { stroke: var(--soft); stroke-width: 1 }
.back { fill: var(--back) }
.series { fill: none; stroke-width: 2 }
:root { --back: #fff; --ink: #1c1c1c; --soft: #5c5c5c; --line: #e2e2e2;
  --c0: #0b6fb8; --c1: #c4541a; --c2: #3b7d23; --c3: #7a4bb0; --c4: #8c6d00;
  --c5: #5b5b5b }
@media (prefers-color-scheme: dark) {
:root { --back: #16181b; --ink: #eaeaea; --soft: #a5a9ae; --line: #33373c;
  --c0: #5db2f0; --c1: #f0925c; --c2: #86c96c; --c3: #bd97ea; --c4: #d9b83d;
  --c5: #b0b0b0 } }
"""


def nice_step(span, wanted=5):
    raw = span / wanted
    power = 10 ** math.floor(math.log10(raw))
    for m in (1, 2, 2.5, 5, 10):
        if raw <= m * power:
            return m * power
    return 10 * power


def number(v):
    for least, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(v) >= least:
            return f"{v / (1000 if unit == 'k' else least):g}{unit}"
    return f"{v:g}"


class Axis:
    """Values to places between @a and @b; ticks at round numbers."""

    def __init__(self, values, a, b, log=False, zero=True):
        low, high = min(values), max(values)
        self.a, self.b, self.log = a, b, log
        if log:
            self.low = math.floor(math.log10(low))
            self.high = math.ceil(math.log10(high))
            if self.high == self.low:
                self.high += 1
            self.ticks = [10.0 ** e for e in range(self.low, self.high + 1)]
            if len(self.ticks) < 4:
                self.ticks = sorted(
                    t * m for t in self.ticks for m in (1, 2, 5)
                    if t * m <= 10.0 ** self.high)
        else:
            low = 0 if zero else low
            step = nice_step((high - low) or abs(high) or 1)
            self.low = math.floor(low / step) * step
            self.high = math.ceil(high / step) * step
            n = round((self.high - self.low) / step)
            self.ticks = [self.low + i * step for i in range(n + 1)]

    def at(self, v):
        v = math.log10(v) if self.log else v
        return self.a + (self.b - self.a) * (v - self.low) / (
            (self.high - self.low) or 1)


class Drawing:
    def __init__(self, title, subtitle, wide=WIDE, high=HIGH):
        self.wide, self.high = wide, high
        self.parts = []
        self.text(LEFT - 60, 24, title, "title")
        self.text(LEFT - 60, 42, subtitle, "sub")

    def text(self, x, y, words, css="", anchor="start", turn=None):
        turn = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        css = f' class="{css}"' if css else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" '
                          f'text-anchor="{anchor}"{css}{turn}>'
                          f"{escape(words)}</text>")

    def line(self, x1, y1, x2, y2, css):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" '
                          f'y2="{y2:.1f}" class="{css}"/>')

    def put(self, part):
        self.parts.append(part)

    def legend(self, names):
        x = LEFT
        for i, name in enumerate(names):
            self.put(f'<rect x="{x}" y="{TOP - 20}" width="11" height="11" '
                     f'fill="var(--c{i % 6})"/>')
            self.text(x + 16, TOP - 10, name, "tick")
            x += 34 + 7 * len(name)

    def y_axis(self, axis, label):
        for t in axis.ticks:
            self.line(LEFT, axis.at(t), self.wide - RIGHT, axis.at(t), "grid")
            self.text(LEFT - 8, axis.at(t) + 4, number(t), "tick", "end")
        middle = (TOP + self.high - BOTTOM) / 2
        self.text(18, middle, label, "sub", "middle", -90)

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 '
                f'{self.wide} {self.high}" width="{self.wide}" '
                f'height="{self.high}" role="img"><style>{STYLE}</style>'
                f'<rect class="back" width="{self.wide}" '
                f'height="{self.high}"/>\n' + "\n".join(self.parts) +
                "\n</svg>\n")


def bars(title, subtitle, label, groups, names, log=False):
    """@groups: (what, [value or None for each of @names])."""
    d = Drawing(title, subtitle)
    values = [v for _, row in groups for v in row if v]
    y = Axis(values, HIGH - BOTTOM, TOP, log)
    d.y_axis(y, label)
    d.legend(names)
    slot = (WIDE - LEFT - RIGHT) / len(groups)
    bar = slot * 0.8 / len(names)
    for g, (what, row) in enumerate(groups):
        for i, v in enumerate(row):
            if not v:
                continue
            x = LEFT + g * slot + slot * 0.1 + i * bar
            d.put(f'<rect x="{x:.1f}" y="{y.at(v):.1f}" '
                  f'width="{max(bar - 1, 1):.1f}" '
                  f'height="{max(HIGH - BOTTOM - y.at(v), 1):.1f}" '
                  f'fill="var(--c{i % 6})"><title>'
                  f"{escape(f'{what}, {names[i]}: {v:.3g}')}</title></rect>")
        middle = LEFT + (g + 0.5) * slot
        for n, word in enumerate(what.rsplit(" ", 1)):
            d.text(middle, HIGH - BOTTOM + 18 + 15 * n, word, "tick",
                   "middle")
    d.line(LEFT, HIGH - BOTTOM, WIDE - RIGHT, HIGH - BOTTOM, "axis")
    return d.svg()


def lines(title, subtitle, x_label, y_label, series, log_x=False,
          log_y=False):
    """@series: (name, [(x, y), ...])."""
    d = Drawing(title, subtitle)
    points = [p for _, row in series for p in row]
    x = Axis([p[0] for p in points], LEFT + 8, WIDE - RIGHT - 14, log_x)
    y = Axis([p[1] for p in points], HIGH - BOTTOM, TOP, log_y)
    d.y_axis(y, y_label)
    for t in x.ticks:
        d.line(x.at(t), HIGH - BOTTOM, x.at(t), HIGH - BOTTOM + 5, "axis")
        d.text(x.at(t), HIGH - BOTTOM + 19, number(t), "tick", "middle")
    d.text((LEFT + WIDE - RIGHT) / 2, HIGH - 14, x_label, "sub", "middle")
    d.line(LEFT, HIGH - BOTTOM, WIDE - RIGHT, HIGH - BOTTOM, "axis")
    d.legend([name for name, _ in series])
    for i, (name, row) in enumerate(series):
        path = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in row)
        d.put(f'<polyline class="series" stroke="var(--c{i % 6})" '
              f'points="{path}"/>')
        for a, b in row:
            d.put(f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="3.5" '
                  f'fill="var(--c{i % 6})"><title>'
                  f"{escape(f'{name}, {a:g}: {b:.3g}')}</title></circle>")
    return d.svg()
