# SPDX-License-Identifier: BSL-1.0
"""The server of bench/serve: started, pinned to a core, watched, and ended."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that __exit__ is called
        self.folder = tempfile.TemporaryDirectory()
        told = subprocess.run([HERE / "serve", self.folder.name], check=True, stdout=subprocess.PIPE, text=True).stdout
        port, self.ca_file, pid = told.split()
        self.port, self.pid = int(port), int(pid)
        self.body_file = os.path.join(self.folder.name, "body.json")
        Path(self.body_file).write_text('{"order":"' + "o" * 188 + '"}')
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        while Path(f"/proc/{self.pid}").exists():
            time.sleep(0.01)
        self.folder.cleanup()

    def processes(self):
        workers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, workers)]

    def pin(self, cpu):
        for pid in self.processes():
            os.sched_setaffinity(pid, {cpu})

    def cpu_seconds(self):
        total = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS


class Watch:
    """The largest share of a core that the server took in any 0.3 s: what it took while it was asked, for a client's
    start does not count."""
    step = 0.1
    window = 3

    def __init__(self, server):
        self.server = server
        self.share = None

    def __enter__(self):
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while True:
            self.samples.append((time.monotonic(), self.server.cpu_seconds()))
            if self.ended.wait(self.step):
                return

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        shares = [(cpu - cpu_before) / (now - before) for (before, cpu_before), (now, cpu) in
                  zip(self.samples, self.samples[self.window:])]
        self.share = min(1.0, max(shares)) if shares else None
