# SPDX-License-Identifier: BSL-1.0
"""Runs the clients beside the floor, in pairs, and writes what came out. Use it through scripts/bench."""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path

import clients
import counted
import plot
import table
from server import Server, Watch

QUICK = {("jeton", "HTTP/1.1"), ("jeton", "HTTP/2"), ("Asio ssl::stream", "HTTP/1.1"), ("Boost.Beast", "HTTP/1.1"),
         ("libcurl multi", "HTTP/1.1"), ("Go net/http + x/oauth2", "HTTP/1.1")}
POST_IN_FLIGHTS = {16, 64}  # unless --full
COUNTED_IN_FLIGHT = 16
MEDIANS = ("cpu_us_per_request", "p50_us", "p99_us", "p999_us", "peak_rss_kib")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def machine():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"cpu": model[1].strip() if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "compiler": first_line("g++", "--version"),
            "openssl": first_line("openssl", "version")}


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


class Comparison:
    def __init__(self, server, pairs, seconds, cores):
        self.server = server
        self.pairs = pairs
        self.seconds = seconds
        self.cores = cores
        self.sizes = {}

    def run_once(self, client, work, requests, in_flight):
        with Watch(self.server) as watch:
            figure = client.run(self.server, work, requests, in_flight, self.cores[0])
        return {**figure, "server_share": watch.share, "requests_per_second": figure["requests"] / figure["seconds"]}

    def size(self, client, work, set_up, in_flight):
        """So many requests that a run lasts as long as was asked for."""
        key = (client.title, work, set_up, in_flight)
        if key not in self.sizes:
            trial = 1000 if isinstance(client, clients.Program) else 10000
            rate = self.run_once(client, work, trial, in_flight)["requests_per_second"]
            self.sizes[key] = max(1000, min(200_000, round(rate * self.seconds, -2).__int__()))
        return self.sizes[key]

    def measure(self, floor, client, work, set_up, in_flight):
        """The client's figures, and all runs of the floor beside it."""
        self.server.pin(self.cores[0] if set_up == "one core" else self.cores[1])
        few, many = self.size(floor, work, set_up, in_flight), self.size(client, work, set_up, in_flight)
        below, above, failed = [], [], None
        for _ in range(self.pairs):
            try:
                pair = self.run_once(floor, work, few, in_flight), self.run_once(client, work, many, in_flight)
            except RuntimeError as why:  # one bad run does not spoil the others
                failed = why
                continue
            below.append(pair[0])
            above.append(pair[1])
        if not above:
            raise failed
        ratios = [b["cpu_us_per_request"] / a["cpu_us_per_request"] for a, b in zip(below, above)]
        return {**summary(client, work, set_up, in_flight, above), "beside": floor.name,
                "ratio": statistics.median(ratios), "ratios": ratios}, below


def summary(client, work, set_up, in_flight, runs):
    return {"client": client.name, "protocol": client.protocol, "work": work, "set_up": set_up, "in_flight": in_flight,
            "runs": len(runs), **{name: median(run[name] for run in runs) for name in MEDIANS},
            "requests_per_second": median(run["requests_per_second"] for run in runs),
            "server_share": median(run["server_share"] for run in runs)}


def all_figures(comparison, floors, others, plan):
    figures = []
    for work, set_up, in_flight in plan:
        floor_runs = {}
        for client in others:
            try:
                figure, below = comparison.measure(floors[client.protocol], client, work, set_up, in_flight)
            except (RuntimeError, ValueError, ZeroDivisionError) as failed:
                say(f"{client.title}: {failed}")
                continue
            figures.append(figure)
            floor_runs.setdefault(client.protocol, []).extend(below)
            say(f"{work}, {set_up}, {in_flight} in flight: {client.title}: {figure['ratio']:.2f} x {figure['beside']}, "
                f"{figure['cpu_us_per_request']:.1f} us")
        for protocol, runs in floor_runs.items():
            figures.append({**summary(floors[protocol], work, set_up, in_flight, runs),
                            "beside": floors[protocol].name, "ratio": 1.0, "ratios": []})
    return figures


def planned(options, set_ups, in_flights):
    """What is measured, in this order: work, set-up, number in flight."""
    plan = [("GET", set_up, in_flight) for set_up in set_ups for in_flight in in_flights]
    if options.full:
        plan += [("POST", set_up, in_flight) for set_up in set_ups for in_flight in in_flights]
    elif not options.quick:
        plan += [("POST", "one core", in_flight) for in_flight in in_flights if in_flight in POST_IN_FLIGHTS]
    return plan


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="the build folder with the clients")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="the figures go here, and nothing else is written")
    parser.add_argument("--in-flight", metavar="N,N", help="instead of 1,16,64,256")
    parser.add_argument("--clients", metavar="TEXT,TEXT", help="only those whose name holds one of the texts")
    return parser.parse_args()


def chosen(others, options):
    skipped, kept = {}, []
    for client in others:
        reason = client.missing()
        if reason:
            skipped[client.title] = reason
            say(f"skipped: {client.title}: {reason}")
        elif options.clients:
            if any(text.lower() in client.title.lower() for text in options.clients.split(",")):
                kept.append(client)
        elif not options.quick or (client.name, client.protocol) in QUICK:
            kept.append(client)
    return kept, skipped


def main():
    options = arguments()
    floors, others = clients.all_clients(options.build)
    others, skipped = chosen(others, options)
    cores = sorted(os.sched_getaffinity(0))
    set_ups = ["one core", "two cores"] if len(cores) > 1 else ["one core"]
    if len(cores) == 1:
        say("skipped: client and server on a core each: there is but one")
    in_flights = [1, 64] if options.quick else [1, 16, 64, 256]
    if options.in_flight:
        in_flights = [int(n) for n in options.in_flight.split(",")]
    pairs = 3 if options.quick else 9 if options.full else 5
    seconds = 0.3 if options.quick else 1.0
    now = datetime.datetime.now(datetime.timezone.utc)
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[1]})

    with Server() as server:
        figures = all_figures(Comparison(server, pairs, seconds, cores), floors, others, planned(options, set_ups, in_flights))
        per_request = [] if options.quick else counted.counts(
            server, [floors[protocol] for protocol in dict.fromkeys(client.protocol for client in others)], others,
            COUNTED_IN_FLIGHT, cores[0], say)
    result = {"command": " ".join(["scripts/bench", *sys.argv[2:]]), "date": now.strftime("%Y-%m-%d"),
              "machine": machine(), "pairs": pairs, "skipped": skipped, "figures": figures, "per_request": per_request}

    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
        say(f"figures in {options.json}")
    else:
        folder = Path(__file__).resolve().parent / "results"
        folder.mkdir(exist_ok=True)
        name = "quick" if options.quick else result["date"]
        (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        (folder / f"{name}.md").write_text(table.markdown(result))
        for plot_name, svg in plot.all_plots(result).items():
            (folder / f"{name}-{plot_name}.svg").write_text(svg)
        say(f"figures, table and plots: bench/results/{name}*")
    print(table.markdown(result))


if __name__ == "__main__":
    main()
