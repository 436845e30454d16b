# SPDX-License-Identifier: BSL-1.0
"""Runs the benchmarks of the parts, and writes what came out. Use it through scripts/bench --micro."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import compare
import plot

REPETITIONS = 5
FRAMEWORK = {"name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions", "threads", "iterations",
             "aggregate_name", "aggregate_unit", "real_time", "cpu_time", "time_unit"}
TITLES = {"token": "A token that is there, each read, on each thread", "stampede": "All want the one token, which is being fetched",
          "parse": "An answer over HTTP/1.1", "pool": "A connection taken and given back", "timer": "A deadline",
          "request": "A request", "failure": "A failure"}
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def medians(program):
    """Of several runs of each, the cases in random order: what the machine does besides meets all of them."""
    command = [program, "--benchmark_format=json", f"--benchmark_repetitions={REPETITIONS}", "--benchmark_min_time=0.05",
               "--benchmark_enable_random_interleaving=true", "--benchmark_report_aggregates_only=true"]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    as_written = sorted(told["benchmarks"], key=lambda case: (case["family_index"], case["per_family_instance_index"]))
    return [figure(case) for case in as_written if case.get("aggregate_name") == "median"]


def figure(case):
    """Where a program measures CPU time itself, the framework takes it for real time."""
    time = case["real_time" if case["run_name"].endswith("manual_time") else "cpu_time"] * NANOSECONDS[case["time_unit"]]
    name = "/".join(part for part in case["run_name"].split("/") if part != "manual_time" and not part.startswith("iterations:"))
    return {"name": name, "cpu_ns": time, **{key: value for key, value in case.items() if key not in FRAMEWORK}}


def reads_in_go(program):
    if not program.exists():
        compare.say("skipped: x/oauth2's token read: no Go with x/oauth2")
        return []
    lines = subprocess.run([program], capture_output=True, check=True, text=True).stdout.splitlines()
    return [{"name": f"token_x_oauth2/threads:{read['threads']}", "cpu_ns": read["cpu_ns"]} for read in map(json.loads, lines)]


def number(value):
    return f"{value:,.1f}" if value < 100 and value != int(value) else f"{value:,.0f}"


def line(cells):
    return "| " + " | ".join(cells) + " |\n"


def markdown(result):
    machine = result["machine"]
    text = (f"`scripts/bench --micro`, {result['date']}; {machine['cpu']}, {machine['cores']} cores, {machine['compiler']}; "
            f"CPU time, medians of {REPETITIONS} runs.\n")
    for prefix, title in TITLES.items():
        figures = [f for f in result["figures"] if f["name"].startswith(prefix)]
        if not figures:
            continue
        counters = list(dict.fromkeys(key for f in figures for key in f if key not in ("name", "cpu_ns")))
        text += f"\n### {title}\n\n" + line(["", "ns", *(name.replace("_", " ") for name in counters)])
        text += "|" + "---|" * (2 + len(counters)) + "\n"
        for f in figures:
            name = f["name"].replace("/", ", ").replace(":", " ").replace("_", " ")
            text += line([name, f"**{number(f['cpu_ns'])}**", *(number(f[c]) if c in f else "" for c in counters)])
    return text


def main():
    build = Path(sys.argv[1]) / "bench" / "micro"
    figures = medians(build / "bench_micro") + reads_in_go(build / "bench_go_token")
    result = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "machine": compare.machine(),
              "repetitions": REPETITIONS, "figures": figures}
    folder = Path(__file__).resolve().parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "micro.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "micro.md").write_text(markdown(result))
    (folder / "micro-token-read.svg").write_text(plot.token_reads(result))
    compare.say("figures, table and plot: bench/results/micro*")
    print(markdown(result))


if __name__ == "__main__":
    main()
