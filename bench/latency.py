"""What the service disturbs: a web server's latency."""

import contextlib
import math
import os
import re
import shutil
import socket
import subprocess

import svg
from record import Record, median
from service import PROCESSES, RESIDENT_MIB, Load, Service, wait

TURN_S = 1  # a side, in each round
ROUNDS = 240

NGINX = """daemon off; worker_processes 1; pid {dir}/nginx.pid;
error_log /dev/null; events {{ worker_connections 256; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port};
location / {{ return 200 "{body}"; }} }} }}"""

# Each connection asks again a millisecond after its answer.
PACE = "function delay() return 1 end"


def percentile_ms(text, percent):
    """Of what wrk --latency prints."""
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]


class Web:
    """nginx on one CPU, wrk on another; for `with`."""

    def __init__(self, bench, port=18099):
        where = os.path.join(bench.dir, "nginx")
        os.makedirs(where)
        self.pace, self.port = f"{where}/pace.lua", port
        for name, text in (("nginx.conf", NGINX.format(
                dir=where, port=port, body="x" * 1024)), ("pace.lua", PACE)):
            with open(f"{where}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        self.cpus = [str(c) for c in sorted(os.sched_getaffinity(0))]
        self.server = subprocess.Popen(
            ["taskset", "-c", self.cpus[0], "nginx", "-c",
             f"{where}/nginx.conf", "-p", where], stderr=subprocess.DEVNULL)

    def __enter__(self):
        if not wait(self.answers, 10):
            self.__exit__()
            raise RuntimeError("nginx does not answer")
        self.ask()
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def answers(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def ask(self):
        """p50 and p99 in ms, requests a second."""
        done = subprocess.run(
            ["taskset", "-c", self.cpus[-1], "wrk", "--latency", "-t1", "-c32",
             f"-d{TURN_S}s", "-s", self.pace,
             f"http://127.0.0.1:{self.port}/"],
            stdout=subprocess.PIPE, text=True, check=True)
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
        return (percentile_ms(done.stdout, 50), percentile_ms(done.stdout, 99),
                rate)


def middle(values):
    """Hodges and Lehmann's estimate of where @values lie, and between which
    two it is with 95 % confidence (Wilcoxon's signed ranks): of noise with long
    tails it needs half the rounds that a median does."""
    n = len(values)
    means = sorted((values[i] + values[j]) / 2
                   for i in range(n) for j in range(i, n))
    k = max(0, int(n * (n + 1) / 4 -
                   1.96 * (n * (n + 1) * (2 * n + 1) / 24) ** 0.5))
    return median(means), means[k], means[-1 - k]


def turns(b, r, web):
    """[(without, with)] of all rounds.  Sides take turns as A B, B A, ..., so
    that one start of the service does for two rounds."""
    rounds = ROUNDS * (3 if b.options.long else 1)
    seen = []
    with contextlib.ExitStack() as stack:
        for n in range(rounds):
            pair = {}
            for side in ("without", "with")[::-1 if n % 2 else 1]:
                if side == "with" and n % 2 == 0:
                    stack.enter_context(Service(b))
                elif side == "without":
                    stack.close()
                pair[side] = web.ask()
                r.add(side, "p50", "ms", "less", pair[side][0])
                r.add(side, "p99", "ms", "less", pair[side][1])
                r.add(side, "requests", "1/s", "more", pair[side][2])
            seen.append((pair["without"], pair["with"]))
    return seen


def latency(b):
    """A web server's latency with and without the service, in turns."""
    r = Record("latency", "Latency of a co-located web server")
    for name in ("nginx", "wrk"):
        if not shutil.which(name):
            return r.nothing(f"{name} is not installed")
    r.note(f"nginx with one worker on one CPU, wrk with 32 connections on "
           f"another, {TURN_S} s a side and round; the service has "
           "cpu_budget = 1 and its first pass under way. The change is Hodges "
           "and Lehmann's middle of the rounds' own, with 95 % confidence.")
    with Load(b, PROCESSES, RESIDENT_MIB), Web(b) as web:
        seen = turns(b, r, web)
    for i, what in enumerate(("p50", "p99")):
        change, low, high = middle([math.log(w[i] / wo[i])
                                    for wo, w in seen])
        for name, log in ((f"change of {what}", change),
                          (f"{what}, at least", low),
                          (f"{what}, at most", high)):
            r.add("with", name, "%", "less", 100 * math.expm1(log))
    r.add("with", "rounds", "", "", len(seen))
    table = r.table("", [("requests", "requests/s", "{:.0f}"),
                         ("p50", "p50 ms", "{:.3f}"),
                         ("change of p50", "change\n%", "{:+.2f}"),
                         ("p50, at least", "from\n%", "{:+.2f}"),
                         ("p50, at most", "to\n%", "{:+.2f}"),
                         ("p99", "p99 ms", "{:.3f}"),
                         ("change of p99", "change\n%", "{:+.2f}"),
                         ("p99, at least", "from\n%", "{:+.2f}"),
                         ("p99, at most", "to\n%", "{:+.2f}")])
    plot = svg.bars("Latency of nginx", "median of the rounds", "ms",
                    [(w, [r.value(w, "p50"), r.value(w, "p99")])
                     for w in r.whats()], ["p50", "p99"])
    return r, table, plot
