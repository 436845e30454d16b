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
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
NODE_PACKAGES = Path("/usr/share/nodejs")  # where Debian puts them


PATIENCE = 600  # seconds; a client that takes longer has got stuck


class Memory:
    """The peak of a process that another started, while it lives. Not ru_maxrss, which begins with that of its parent."""
    step = 0.05

    def __init__(self, pid):
        self.status = Path(f"/proc/{pid}/status")
        self.peak_kib = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(self.step):
            try:
                found = re.search(r"^VmHWM:\s*(\d+)", self.status.read_text(), re.M)
            except OSError:
                return
            if found:
                self.peak_kib = int(found[1])

    def end(self):
        self.ended.set()
        self.thread.join()


def run_child(command, cpu, environment=None):
    """Its output, what it used (os.wait4), and its peak of memory as far as it could be seen; pinned to one core."""
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(["taskset", "-c", str(cpu), *map(str, command)], stdout=subprocess.PIPE, stderr=complaints,
                                 env={**os.environ, **(environment or {})})
        memory = Memory(child.pid)
        too_late = threading.Timer(PATIENCE, child.kill)
        too_late.start()
        try:
            output = child.stdout.read().decode()
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        finally:
            too_late.cancel()
            memory.end()
        child.stdout.close()
        child.returncode = os.waitstatus_to_exitcode(status)
        complaints.seek(0)
        complaint = complaints.read().decode(errors="replace")
    if child.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {child.returncode}: {complaint.strip()[-400:]}")
    return output, used, memory.peak_kib


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

    def run_under(self, command, server, requests, in_flight, cpu):
        """Runs GETs under another command (strace), and says how many, warm-up included if it is not always the same."""
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
                return f"{path} is not there" + self.why_not_built(path)
        return None

    @staticmethod
    def why_not_built(path):
        """What the build left beside a program that could not be made."""
        reason = Path(f"{path}.skipped")
        return f" ({reason.read_text().strip()})" if reason.exists() else ""

    def arguments(self, server, work, requests, in_flight):
        words = (["h2"] if self.protocol == "HTTP/2" else []) + (["post"] if work == "POST" else [])
        return [*self.command, server.port, server.ca_file, requests, in_flight, *words]

    def run(self, server, work, requests, in_flight, cpu):
        output, _, _ = run_child(self.arguments(server, work, requests, in_flight), cpu, dict(self.environment))
        return json.loads(output)

    def run_under(self, command, server, requests, in_flight, cpu):
        run_child([*command, *self.arguments(server, "GET", requests, in_flight)], cpu, dict(self.environment))
        return requests


@dataclass(frozen=True)
class Wrk(Client):
    """A load generator that runs for so long. Two runs, and the difference, for its handshakes do not count."""

    def missing(self):
        return None if shutil.which("wrk") else "wrk is not installed"

    def once(self, server, work, seconds, in_flight, cpu, under=()):
        output, used, memory = run_child(
            [*under, "wrk", "-t1", f"-c{in_flight}", f"-d{seconds}s", "-s", HERE / "wrk.lua",
             f"https://localhost:{server.port}/api/status", "--", work.lower()], cpu)
        told = json.loads(output.strip().splitlines()[-1])
        if told["failed"]:
            raise RuntimeError(f"wrk counts {told['failed']} failures")
        return {**told, "peak_rss_kib": memory}, used

    def run_under(self, command, server, requests, in_flight, cpu):
        seconds = 1 if requests < 2000 else 3
        return self.once(server, "GET", seconds, in_flight, cpu, command)[0]["requests"]

    def run(self, server, work, requests, in_flight, cpu):
        short, used_in_short = self.once(server, work, 1, in_flight, cpu)
        long, used_in_long = self.once(server, work, 2, in_flight, cpu)
        if long["requests"] <= short["requests"] or cpu_seconds(used_in_long) <= cpu_seconds(used_in_short):
            raise RuntimeError("wrk did as much in one second as in two: something else runs here")
        used = cpu_seconds(used_in_long) - cpu_seconds(used_in_short)
        done = long["requests"] - short["requests"]
        return {"requests": done, "seconds": long["seconds"] - short["seconds"],
                "cpu_us_per_request": used * 1e6 / done, "p50_us": long["p50_us"], "p99_us": long["p99_us"],
                "p999_us": long["p999_us"], "peak_rss_kib": long["peak_rss_kib"]}


@dataclass(frozen=True)
class H2load(Client):
    """A load generator that sends so many requests. Two runs, and the difference; tells no percentiles."""

    def missing(self):
        return None if shutil.which("h2load") else "h2load is not installed"

    def once(self, server, work, requests, in_flight, cpu, under=()):
        shape = ["-c1", f"-m{in_flight}"] if self.protocol == "HTTP/2" else ["--h1", f"-c{in_flight}", "-m1"]
        body = ["-d", server.body_file, "-H", "content-type: application/json"] if work == "POST" else []
        output, used, memory = run_child(
            [*under, "h2load", "-t1", f"-n{requests}", *shape, *body, "-H", "authorization: Bearer " + "t" * 800,
             "-H", "accept: application/json", f"https://localhost:{server.port}/api/status"], cpu)
        seconds = re.search(r"finished in ([0-9.]+)(ms|s|us)", output)
        if f" {requests} succeeded" not in output or not seconds:
            raise RuntimeError(f"h2load says: {output[-400:]}")
        return float(seconds[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6}[seconds[2]], used, memory

    def run_under(self, command, server, requests, in_flight, cpu):
        self.once(server, "GET", requests, in_flight, cpu, command)
        return requests

    def run(self, server, work, requests, in_flight, cpu):
        few = max(warm_up(in_flight), requests // 4)
        short, used_in_short, _ = self.once(server, work, few, in_flight, cpu)
        long, used_in_long, memory = self.once(server, work, few + requests, in_flight, cpu)
        used = cpu_seconds(used_in_long) - cpu_seconds(used_in_short)
        if long <= short or used <= 0:
            raise RuntimeError("h2load took no longer for more: something else runs here")
        return {"requests": requests, "seconds": long - short, "cpu_us_per_request": used * 1e6 / requests,
                "p50_us": None, "p99_us": None, "p999_us": None, "peak_rss_kib": memory}


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
              program("Rust reqwest", "HTTP/1.1", "bench_reqwest"),
              program("Rust reqwest", "HTTP/2", "bench_reqwest"),
              Wrk("wrk (load generator)", "HTTP/1.1"),
              H2load("h2load (load generator)", "HTTP/1.1"),
              H2load("h2load (load generator)", "HTTP/2"),
              Program("undici (Node.js)", "HTTP/1.1", ("node", str(HERE / "undici_client.cjs")),
                      (str(NODE_PACKAGES / "undici"),), (("NODE_PATH", str(NODE_PACKAGES)),))]
    return floors, others
