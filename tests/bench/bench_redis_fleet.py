#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several programs on one Redis: how soon a dead worker's tasks run elsewhere, how soon a task that is
submitted at one gateway starts on an idle worker, and what an idle system does. Prints; asserts nothing.

    GW_BUILD_DIR=build tests/bench/bench_redis_fleet.py [--lease 3] [--runs 5] [--tasks 200] [--idle 10]
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import frame  # noqa: E402


class Fleet:
    """A gateway without workers and @workers of them, on a Redis that writes every step to disk."""

    def __init__(self, lease, workers, latency):
        self.home = frame.Home()
        self.started = []
        self.socket = os.path.join(self.home.path, "redis.sock")
        redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--dir", self.home.path],
            env={"PATH": os.environ["PATH"]}, name="redis"))
        redis.wait_line(r"ready to accept connections at")
        self.redis = redis
        self.mock = self.keep(frame.Mock({"providers": {"one": {"latency": latency}}}))
        self.home.configure(f"[workers]\nlease-seconds={lease}\nmax-concurrency=10\n"
                            + frame.provider_group("one", self.mock.base("one"),
                                                   max_concurrency=10, latency=latency or 0.01))
        uri = f"redis+unix://{self.socket}"
        self.gateway = self.keep(frame.Daemon(
            self.home, ["--redis", uri, "--no-workers"])).ready()
        self.workers = [self.keep(frame.Daemon(
            self.home, ["--redis", uri, "--workers-only"], port=None)) for _ in range(workers)]
        for worker in self.workers:
            worker.wait_line(r"gangwayd: working on")

    def keep(self, process):
        self.started.append(process)
        return process

    def cli(self, *arguments):
        return subprocess.run(["redis-cli", "-s", self.socket, *arguments], check=True,
                              capture_output=True, text=True).stdout

    def end(self):
        for process in reversed(self.started):
            if process.running():
                process.signal(signal.SIGTERM)
        for process in reversed(self.started):
            process.finish()
        self.home.remove()


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))]


def takeover(lease, runs):
    """From kill -9 of the worker that has the call to the same task's next call elsewhere."""
    seconds = []
    for _ in range(runs):
        fleet = Fleet(lease, 1, 3600)
        try:
            fleet.gateway.submit("the task")
            frame.wait_for(lambda: fleet.mock.calls(), "the call", every=0.005)
            other = fleet.keep(frame.Daemon(fleet.home, ["--redis", f"redis+unix://{fleet.socket}",
                                                         "--workers-only"], port=None))
            other.wait_line(r"gangwayd: working on")
            time.sleep(1)
            fleet.workers[0].kill()
            killed = time.monotonic()
            calls = frame.wait_for(
                lambda: fleet.mock.calls() if len(fleet.mock.calls()) > 1 else None,
                "the next call", 60 + 3 * lease, 0.01)
            seconds.append(calls[1]["arrived"] - killed)
        finally:
            fleet.end()
    print(f"takeover, lease-seconds={lease}: median {statistics.median(seconds):.2f} s of "
          f"{', '.join(f'{s:.2f}' for s in seconds)} from kill -9 to the task's next call")


def wake_up(tasks):
    """From before the POST at the gateway to the call's arrival at the provider."""
    fleet = Fleet(15, 2, 0)
    delays, posts, after = [], [], []
    try:
        for n in range(tasks):
            began = time.monotonic()
            fleet.gateway.submit(f"task {n}")
            posts.append(time.monotonic() - began)
            frame.wait_for(lambda: fleet.mock.stats("one")["answered"] > n, "the call", every=0.005)
            call = fleet.mock.calls()[-1]
            delays.append(call["arrived"] - began)
            after.append(max(0, delays[-1] - posts[-1]))
            time.sleep(0.02)   # both workers rest again
    finally:
        fleet.end()
    def show(values):
        return (f"p50 {1000 * percentile(values, 0.5):.1f} ms, "
                f"p99 {1000 * percentile(values, 0.99):.1f} ms, most {1000 * max(values):.1f} ms")

    print(f"wake-up over {tasks} tasks, fsync always, load {os.getloadavg()[0]:.1f}: from POST to the "
          f"call at the provider {show(delays)}; the POST itself {show(posts)}; from its answer to the "
          f"call {show(after)}")


def switches(pid):
    """Context switches of each thread so far."""
    threads = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            threads[thread] = sum(int(line.split()[1]) for line in file
                                  if line.startswith(("voluntary", "nonvoluntary")))
    return threads


def commands(fleet):
    calls = {}
    for line in fleet.cli("INFO", "commandstats").splitlines():
        name, _, rest = line.partition(":")
        if name.startswith("cmdstat_"):
            calls[name[8:]] = int(rest.split(",")[0].partition("=")[2])
    return calls


def idle(seconds):
    fleet = Fleet(15, 1, 0.05)
    try:
        # Something was done before; then it has ended, and what follows it has passed.
        for n in range(5):
            fleet.gateway.wait_task(fleet.gateway.submit(f"task {n}"))
        time.sleep(12)
        before, calls = [switches(process.pid) for process in
                         (fleet.gateway, fleet.workers[0])], commands(fleet)
        time.sleep(seconds)
        after, later = [switches(process.pid) for process in
                        (fleet.gateway, fleet.workers[0])], commands(fleet)
        done = {name: later[name] - calls.get(name, 0) for name in later
                if later[name] != calls.get(name, 0) and name != "info"}
        grown = [sum(count - one.get(thread, 0) for thread, count in other.items())
                 for one, other in zip(before, after)]
        print(f"idle for {seconds} s: context switches gateway {grown[0]}, worker {grown[1]}; commands "
              f"at Redis: {done or 'none'}")
    finally:
        fleet.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lease", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--idle", type=int, default=10)
    arguments = parser.parse_args()
    if arguments.tasks:
        wake_up(arguments.tasks)
    if arguments.idle:
        idle(arguments.idle)
    if arguments.runs:
        takeover(arguments.lease, arguments.runs)


if __name__ == "__main__":
    main()
