"""What was measured: rows of rounds, as a table, as JSON, and read back."""

import datetime
import hashlib
import json
import os
import platform
import re
import statistics
import subprocess

FORMAT = 1
WIDTH = 80


def median(values):
    return statistics.median(values) if values else None


def noise(values):
    """Spread around the median as a share of it (scaled MAD)."""
    if len(values) < 2 or not median(values):
        return 0.0
    m = median(values)
    return 1.4826 * median([abs(v - m) for v in values]) / abs(m)


class Record:
    """One series.  A row is one thing (`what`) measured in one way
    (`measure`), once a round; `better` says which way is: less, more or ""."""

    def __init__(self, name, title):
        self.name, self.title = name, title
        self.rows, self.notes, self.plots = [], [], []
        self.settings = {}
        self.load = {"start": os.getloadavg(), "end": None}
        self.begun = now()

    def add(self, what, measure, unit, better, value):
        if value is None:
            return
        for row in self.rows:
            if row["what"] == what and row["measure"] == measure:
                row["rounds"].append(value)
                return
        self.rows.append({"what": what, "measure": measure, "unit": unit,
                          "better": better, "rounds": [value]})

    def value(self, what, measure):
        for row in self.rows:
            if row["what"] == what and row["measure"] == measure:
                return median(row["rounds"])
        return None

    def whats(self):
        return list(dict.fromkeys(row["what"] for row in self.rows))

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def nothing(self, why):
        """What a series returns that can not be run here."""
        self.note(f"{why}: nothing was measured")
        return self, "nothing was measured", None

    def table(self, first, columns, whats=None):
        """@columns: (measure, heading of up to two lines, format)."""
        heads = [first.split("\n")] + [c[1].split("\n") for c in columns]
        deep = max(map(len, heads))
        grid = [[h[i - deep + len(h)] if i >= deep - len(h) else ""
                 for h in heads] for i in range(deep)]
        for what in whats or self.whats():
            cells = [self.value(what, c[0]) for c in columns]
            if any(c is not None for c in cells):
                grid.append([what] + ["-" if v is None else c[2].format(v)
                                      for v, c in zip(cells, columns)])
        wide = [max(len(r[i]) for r in grid) for i in range(len(heads))]
        return "\n".join(
            (row[0].ljust(wide[0]) + "".join(
                "  " + cell.rjust(w) for cell, w in zip(row[1:], wide[1:])))
            .rstrip() for row in grid)

    def text(self, table, machine):
        self.load["end"] = self.load["end"] or os.getloadavg()
        if max(self.load["start"][0], self.load["end"][0]) > machine["cores"]:
            self.note("Others worked on this machine meanwhile: trust the "
                      "ratios, not the seconds.")
        head = [f"{self.title}", "", *about(machine, self)]
        notes = [line for n in self.notes for line in wrap(n)]
        return "\n".join(head + ["", table] +
                         ([""] + notes if notes else []) + [""])

    def as_json(self, machine):
        return {"format": FORMAT, "name": self.name, "title": self.title,
                "date": self.begun, "machine": machine,
                "load_average": self.load, "settings": self.settings,
                "notes": self.notes,
                "rows": [dict(r, median=median(r["rounds"]))
                         for r in self.rows]}


def wrap(text):
    line, lines = "", []
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH - 2:
            lines.append(line)
            line = "  " + word
        else:
            line = f"{line} {word}" if line else word
    return lines + [line]


def now():
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def about(machine, record):
    load = ["/".join(f"{v:.1f}" for v in record.load[k])
            for k in ("start", "end")]
    return [f"{machine['cpu']}, {machine['cores']} cores, "
            f"{machine['memory_gib']:.0f} GiB, Linux {machine['kernel']}",
            f"{record.begun}, load average {load[0]} at the start, {load[1]} "
            "at the end",
            f"{machine['davylamp']}, yara {machine['yara']}"]


# ---- the machine -----------------------------------------------------------

def first_of(path, key):
    try:
        with open(path, encoding="ascii", errors="replace") as f:
            for line in f:
                if line.lower().startswith(key):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              check=False).stdout.strip()
    except OSError:
        return ""


def cpu_name():
    """Model, and where a hypervisor hides it, family and model number."""
    name = first_of("/proc/cpuinfo", "model name") or first_of(
        "/proc/cpuinfo", "cpu part") or platform.machine()
    family = first_of("/proc/cpuinfo", "cpu family")
    model = first_of("/proc/cpuinfo", "model\t")
    return f"{name} family {family} model {model}" if family else name


def machine(program):
    memory = int(first_of("/proc/meminfo", "memtotal").split()[0]) / 2**20
    commit = output("git", "rev-parse", "--short=12", "HEAD")
    changed = bool(output("git", "status", "--porcelain", "agent", "rules",
                          "hashes"))
    version = output(program, "version") or output(program, "--version")
    found = re.search(r"\d+\.\d+\.\d+", version)
    return {"cpu": cpu_name(), "cores": os.cpu_count(),
            "memory_gib": memory, "kernel": platform.release(),
            "arch": platform.machine(),
            "davylamp": f"davylamp {found.group() if found else '?'} "
                        f"(SHA-256 {digest(program)[:8]}; checkout "
                        f"{commit or '?'}{' changed' if changed else ''})",
            "yara": output("yara", "--version") or "none",
            "python": platform.python_version(),
            "huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
            "root": os.geteuid() == 0}


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def machine_name(about_it):
    """Short and stable: what it is, not what it is called."""
    words = re.sub(r"\((R|TM|tm|r)\)|CPU|Processor|@.*", " ", about_it["cpu"])
    words = re.sub(r"family (\w+) model (\w+)", r"f\1m\2", words)
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return f"{slug}-{about_it['cores']}core"


# ---- files -----------------------------------------------------------------

def place(root, machine_slug, label=None):
    """bench/record/MACHINE/LABEL, or a fresh one: DATE, DATE-2, ..."""
    day = label or datetime.date.today().isoformat()
    base = os.path.join(root, machine_slug, day)
    path, n = base, 1
    while os.path.exists(path) and not label:
        n += 1
        path = f"{base}-{n}"
    os.makedirs(path, exist_ok=True)
    return path


def load(path):
    """The series, by name, of a record's directory or one of its files."""
    files = [path] if os.path.isfile(path) else sorted(
        os.path.join(path, f) for f in os.listdir(path) if f.endswith(".json"))
    series = {}
    for name in files:
        with open(name, encoding="utf-8") as f:
            data = json.load(f)
        if data.get("format") != FORMAT:
            raise ValueError(f"{name}: format {data.get('format')!r}, "
                             f"not {FORMAT}: another version wrote it")
        series[data["name"]] = data
    return series
