# SPDX-License-Identifier: BSL-1.0
"""What is counted rather than timed: system calls (strace) and user instructions (callgrind) per request.

Each client is run for two numbers of requests, and the difference is divided: start-up, handshakes and warm-up do not count. Client
and server share a core, so that how many answers are there at a time is nearly the same in each run.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import clients
from server import Server

FEW, MANY = 1000, 4000

# As strace names them, by what they are for.
KINDS = {"send": {"write", "writev", "send", "sendto", "sendmsg", "sendmmsg"},
         "receive": {"read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg"},
         "wait": {"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"}}
NATIVE = {"bench_floor", "bench_h2_minimal", "bench_jeton", "bench_asio", "bench_beast", "bench_curl"}


def traced_calls(client, server, requests, in_flight, cpu):
    """Calls by name, and how many requests they were for."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as told:
        done = client.run_under(["strace", "-f", "-c", "-U", "calls,name", "-o", told.name], server, requests, in_flight, cpu)
        calls = {}
        for line in told.read().splitlines():
            found = re.fullmatch(r"\s*(\d+)\s+(\w+)\s*", line)
            if found and found[2] != "total":
                calls[found[2]] = int(found[1])
    if not calls:
        raise RuntimeError("strace told nothing: may this process be traced?")
    return calls, done


def syscalls(client, server, in_flight, cpu, attempts=3):
    """Per request, by name."""
    before, few = traced_calls(client, server, FEW, in_flight, cpu)
    after, many = traced_calls(client, server, MANY, in_flight, cpu)
    if many <= few:
        raise RuntimeError("as many requests in the longer run as in the shorter one")
    found = {name: (after[name] - before.get(name, 0)) / (many - few) for name in after}
    if min(found.values()) < -0.05:
        if attempts > 1:
            return syscalls(client, server, in_flight, cpu, attempts - 1)
        raise RuntimeError("the two runs were too unlike; something else runs here")
    return {name: count for name, count in sorted(found.items(), key=lambda one: -one[1]) if count >= 0.001}


def instructions(client, server, in_flight, cpu):
    """Per request; of the whole process, in user space."""
    told = []
    for requests in (FEW, MANY):
        command = ["taskset", "-c", str(cpu), "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                   *map(str, client.arguments(server, "GET", requests, in_flight))]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=clients.PATIENCE)
        collected = re.search(r"Collected : *(\d+)", ended.stderr)
        if ended.returncode or not collected:
            raise RuntimeError(f"callgrind counted nothing: {ended.stderr.strip()[-300:]}")
        told.append(int(collected[1]))
    return (told[1] - told[0]) / (MANY - FEW)


def is_native(client):
    return isinstance(client, clients.Program) and Path(client.command[0]).name in NATIVE


def counts(server, floors, others, in_flight, cpu, say, what=("syscalls", "instructions")):
    """The figures as a list of dicts; what cannot be counted is said and left out."""
    server.pin(cpu)
    needs = {"syscalls": "strace", "instructions": "valgrind"}
    what = [one for one in what if shutil.which(needs[one]) or say(f"skipped: {one} per request: {needs[one]} is not installed")]
    found = []
    for client in (*floors, *others):
        figure = {"client": client.name, "protocol": client.protocol, "in_flight": in_flight}
        for one, count in (("syscalls", syscalls), ("instructions", instructions)):
            if one not in what or one == "instructions" and not is_native(client):
                continue
            try:
                figure[one] = count(client, server, in_flight, cpu)
            except (RuntimeError, ValueError, ZeroDivisionError, subprocess.TimeoutExpired) as failed:
                say(f"{one} of {client.title}: {failed}")
                continue
            say(f"{client.title}: " + (f"{sum(figure[one].values()):.2f} system calls per request" if one == "syscalls"
                                       else f"{figure[one]:,.0f} instructions per request"))
        if len(figure) > 3:
            found.append(figure)
    return found


def by_kind(calls):
    """Sent, received, waited, and the rest by name."""
    sums = {kind: sum(calls.get(name, 0) for name in names) for kind, names in KINDS.items()}
    rest = {name: count for name, count in calls.items() if not any(name in names for names in KINDS.values())}
    return sums, rest


def syscalls_table(figures):
    text = ("| client | system calls per request | send | receive | wait | by name |\n|---|---|---|---|---|---|\n")
    for figure in sorted((f for f in figures if "syscalls" in f), key=lambda f: sum(f["syscalls"].values())):
        calls = figure["syscalls"]
        sums, _ = by_kind(calls)
        names = ", ".join(f"{name} {count:.2f}" for name, count in calls.items() if count >= 0.005)
        text += (f"| {figure['client']} | **{sum(calls.values()):.2f}** | {sums['send']:.2f} | {sums['receive']:.2f} | "
                 f"{sums['wait']:.2f} | {names} |\n")
    return text


def instructions_table(figures):
    counted = sorted((f for f in figures if "instructions" in f), key=lambda f: f["instructions"])
    text = "| client | user instructions per request | x the least |\n|---|---|---|\n"
    for figure in counted:
        text += f"| {figure['client']} | {figure['instructions']:,.0f} | {figure['instructions'] / counted[0]['instructions']:.2f} |\n"
    return text


def tables(figures):
    """All that was counted, by protocol and number in flight."""
    text = ""
    for protocol, in_flight in dict.fromkeys((f["protocol"], f["in_flight"]) for f in figures):
        these = [f for f in figures if (f["protocol"], f["in_flight"]) == (protocol, in_flight)]
        for name, table in (("syscalls", syscalls_table), ("instructions", instructions_table)):
            if any(name in f for f in these):
                what = "System calls" if name == "syscalls" else "User instructions"
                text += f"\n### {what} per request, {protocol}, {in_flight} in flight\n\n{table(these)}"
    return text


def main(what, usage):
    """For the command line: one kind of figure, of all clients of one protocol."""
    words = sys.argv[1:]
    if not words or words[0] == "--help" or len(words) > 3 or words[2:] not in ([], ["h2"]):
        print(usage)
        return 0 if words[:1] == ["--help"] else 2
    protocol = "HTTP/2" if words[2:] else "HTTP/1.1"
    floors, others = clients.all_clients(words[0])
    chosen = [client for client in (floors[protocol], *others) if client.protocol == protocol]

    def say(text):
        print(text, file=sys.stderr, flush=True)

    for client in chosen:
        if client.missing():
            say(f"skipped: {client.title}: {client.missing()}")
    with Server() as server:
        figures = counts(server, (), [c for c in chosen if not c.missing()], int(words[1]) if len(words) > 1 else 16,
                         min(os.sched_getaffinity(0)), say, (what,))
    print(tables(figures).strip())
    return 0 if figures else 1
