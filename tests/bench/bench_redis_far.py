#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker far from its Redis: how many calls a second it ends, with one lane and with several, where
each round trip takes a while. Prints; asserts nothing.

    GW_BUILD_DIR=build tests/bench/bench_redis_far.py [--rtt 50] [--lanes 1 2] [--slots 20]
                                                      [--call 0.2] [--tasks 400] [--runs 3]
"""

import argparse
import os
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import frame  # noqa: E402
from redis_server import RedisServer, Wire  # noqa: E402


class Far:
    """What a wire and a server need of a test's case."""

    def __init__(self):
        self.home = frame.Home()
        self.started = []
        self.closing = []

    def keep(self, process):
        self.started.append(process)
        return process

    def addCleanup(self, function):
        self.closing.append(function)

    def end(self):
        for process in reversed(self.started):
            if process.running():
                process.signal(signal.SIGTERM)
        for process in reversed(self.started):
            process.finish()
        for function in self.closing:
            function()
        self.home.remove()


def run(lanes, options):
    """Calls that ended in a second, from the submission to the last one."""
    far = Far()
    try:
        redis = RedisServer(far).start()
        wire = Wire(far, redis.port)
        wire.delay = options.rtt / 2000
        names = [f"lane{n}" for n in range(lanes)]
        mock = far.keep(frame.Mock({"providers": {
            name: {"concurrency": options.slots, "latency": options.call} for name in names}}))
        far.home.configure(f"[workers]\nmax-concurrency={options.slots}\n" + "".join(
            frame.provider_group(name, mock.base(name), max_concurrency=options.slots // lanes,
                                 latency=options.call) for name in names))
        gateway = far.keep(frame.Daemon(
            far.home, ["--redis", redis.uri, "--no-workers"])).ready()
        worker = far.keep(frame.Daemon(
            far.home, ["--redis", wire.uri, "--workers-only", "--data-dir",
                       os.path.join(far.home.path, "worker")], port=None))
        worker.wait_line(r"gangwayd: working on")
        began = time.monotonic()
        given = gateway.ok("POST", "/tasks/batch", {
            "tasks": [f"task {n}" for n in range(options.tasks)], "project": "far"})
        gateway.wait_project(given["project_id"], 600)
        return options.tasks / (time.monotonic() - began)
    finally:
        far.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rtt", type=float, default=50, help="milliseconds")
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--call", type=float, default=0.2, help="seconds")
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for lanes in options.lanes:
        rates = [run(lanes, options) for _ in range(options.runs)]
        bound = options.slots / (options.call + options.rtt / 1000)
        print(f"{lanes} lanes, {options.slots} slots together, calls of {options.call} s, round trips of "
              f"{options.rtt} ms, load {os.getloadavg()[0]:.1f}: median "
              f"{statistics.median(rates):.0f} tasks/s of "
              f"{', '.join(f'{rate:.0f}' for rate in rates)}; at one round trip for each call at most "
              f"{bound:.0f}")


if __name__ == "__main__":
    main()
