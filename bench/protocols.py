#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""From how many requests in flight on HTTP/2 is cheaper for jeton than HTTP/1.1: client CPU per request of both, in turn.

usage: bench/protocols.py BUILD_FOLDER
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

PAIRS = 5
REQUESTS = 20_000


def cpu_us(program, server, in_flight, protocol):
    told = subprocess.run(
        [program, *server, str(REQUESTS), str(in_flight), *protocol], check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout)["cpu_us_per_request"]


def main():
    if len(sys.argv) != 2 or sys.argv[1] == "--help":
        print(__doc__)
        return 0 if "--help" in sys.argv else 2
    program = os.path.join(sys.argv[1], "bench", "bench_jeton")
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder:
        port, ca_file, pid = subprocess.run(
            [os.path.join(here, "serve"), folder], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.split()
        try:
            print("| in flight | HTTP/1.1, us | HTTP/2, us | ratio |\n|---|---|---|---|")
            for in_flight in (1, 4, 16, 32, 64, 128, 256):
                pairs = []
                for _ in range(PAIRS):
                    one = cpu_us(program, (port, ca_file), in_flight, [])
                    two = cpu_us(program, (port, ca_file), in_flight, ["h2"])
                    pairs.append((one, two, two / one))
                one, two, ratio = (statistics.median(each) for each in zip(*pairs))
                print(f"| {in_flight} | {one:.1f} | {two:.1f} | {ratio:.2f} |", flush=True)
        finally:
            os.kill(int(pid), 15)
    return 0


if __name__ == "__main__":
    sys.exit(main())
