# SPDX-License-Identifier: BSL-1.0
"""The clients that scripts/bench compares: how each is run, and what its one run gave.

A figure is a dict: requests, seconds, cpu_us_per_request, p50_us, p99_us, p999_us, peak_rss_kib; None for what a
client does not tell.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE_PACKAGES = Path("/usr/share/nodejs")  # where Debian puts them


def run_child(command, cpu, environment=None):
    """Its output and what it used (os.wait4), pinned to one core."""
    child = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, command)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    output = child.stdout.read().decode()
    complaint = child.stderr.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {child.returncode}: {complaint.strip()[-400:]}")
    return output, used


def cpu_seconds(used):
    return used.ru_utime + used.ru_stime


def warm_up(in_flight):
    """As long as that of measured.hpp."""
    return 1000 + 40 * in_flight


@dataclass(frozen=True)
class Client:
    name: str
    protocol: str  # HTTP/1.1 or HTTP/2

    @property
    def title(self):
        return f"{self.name}, {self.protocol}"

    def missing(self):
        """Why it cannot be run here; None if it can."""
        return None

    def run(self, server, work, requests, in_flight, cpu):
        raise NotImplementedError


@dataclass(frozen=True)
class Program(Client):
    """One of ours: measures itself, after its warm-up."""
    command: tuple
    needs: tuple = ()
    environment: tuple = ()

    def missing(self):
        for path in (self.command[0], *self.needs):
            if not shutil.which(path) and not Path(path).exists():
                return f"{path} is not there"
        return None

    def run(self, server, work, requests, in_flight, cpu):
        words = (["h2"] if self.protocol == "HTTP/2" else []) + (["post"] if work == "POST" else [])
        output, _ = run_child([*self.command, server.port, server.ca_file, requests, in_flight, *words], cpu,
                              dict(self.environment))
        return json.loads(output)


@dataclass(frozen=True)
class Wrk(Client):
    """A load generator that runs for so long. Two runs, and the difference, for its handshakes do not count."""

    def missing(self):
        return None if shutil.which("wrk") else "wrk is not installed"

    def once(self, server, work, seconds, in_flight, cpu):
        output, used = run_child(
            ["wrk", "-t1", f"-c{in_flight}", f"-d{seconds}s", "-s", HERE / "wrk.lua",
             f"https://localhost:{server.port}/api/status", "--", work.lower()], cpu)
        told = json.loads(output.strip().splitlines()[-1])
        if told["failed"]:
            raise RuntimeError(f"wrk counts {told['failed']} failures")
        return told, used

    def run(self, server, work, requests, in_flight, cpu):
        short, used_in_short = self.once(server, work, 1, in_flight, cpu)
        long, used_in_long = self.once(server, work, 2, in_flight, cpu)
        used = cpu_seconds(used_in_long) - cpu_seconds(used_in_short)
        done = long["requests"] - short["requests"]
        return {"requests": done, "seconds": long["seconds"] - short["seconds"],
                "cpu_us_per_request": used * 1e6 / done, "p50_us": long["p50_us"], "p99_us": long["p99_us"],
                "p999_us": long["p999_us"], "peak_rss_kib": None}


@dataclass(frozen=True)
class H2load(Client):
    """A load generator that sends so many requests. Two runs, and the difference; tells no percentiles."""

    def missing(self):
        return None if shutil.which("h2load") else "h2load is not installed"

    def once(self, server, work, requests, in_flight, cpu):
        shape = ["-c1", f"-m{in_flight}"] if self.protocol == "HTTP/2" else ["--h1", f"-c{in_flight}", "-m1"]
        body = ["-d", server.body_file, "-H", "content-type: application/json"] if work == "POST" else []
        output, used = run_child(
            ["h2load", "-t1", f"-n{requests}", *shape, *body, "-H", "authorization: Bearer " + "t" * 800,
             "-H", "accept: application/json", f"https://localhost:{server.port}/api/status"], cpu)
        seconds = re.search(r"finished in ([0-9.]+)(ms|s|us)", output)
        if f" {requests} succeeded" not in output or not seconds:
            raise RuntimeError(f"h2load says: {output[-400:]}")
        return float(seconds[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6}[seconds[2]], used

    def run(self, server, work, requests, in_flight, cpu):
        few = max(warm_up(in_flight), requests // 4)
        short, used_in_short = self.once(server, work, few, in_flight, cpu)
        long, used_in_long = self.once(server, work, few + requests, in_flight, cpu)
        used = cpu_seconds(used_in_long) - cpu_seconds(used_in_short)
        return {"requests": requests, "seconds": max(long - short, 1e-6), "cpu_us_per_request": used * 1e6 / requests,
                "p50_us": None, "p99_us": None, "p999_us": None, "peak_rss_kib": None}


def all_clients(build):
    """The two that the others are compared with, by protocol, and the others."""
    programs = Path(build) / "bench"

    def program(name, protocol, file):
        return Program(name, protocol, (str(programs / file),))

    floors = {"HTTP/1.1": program("floor (epoll + OpenSSL)", "HTTP/1.1", "bench_floor"),
              "HTTP/2": program("nghttp2, minimal", "HTTP/2", "bench_h2_minimal")}
    others = [program("jeton", "HTTP/1.1", "bench_jeton"),
              program("jeton", "HTTP/2", "bench_jeton"),
              program("Asio ssl::stream", "HTTP/1.1", "bench_asio"),
              program("Boost.Beast", "HTTP/1.1", "bench_beast"),
              program("libcurl multi", "HTTP/1.1", "bench_curl"),
              program("Go net/http + x/oauth2", "HTTP/1.1", "bench_go"),
              program("libcurl multi", "HTTP/2", "bench_curl"),
              program("Go net/http + x/oauth2", "HTTP/2", "bench_go"),
              Wrk("wrk (load generator)", "HTTP/1.1"),
              H2load("h2load (load generator)", "HTTP/1.1"),
              H2load("h2load (load generator)", "HTTP/2"),
              Program("undici (Node.js)", "HTTP/1.1", ("node", str(HERE / "undici_client.cjs")),
                      (str(NODE_PACKAGES / "undici"),), (("NODE_PATH", str(NODE_PACKAGES)),))]
    return floors, others
