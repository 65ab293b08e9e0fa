#!/usr/bin/python3
"""Tasks per second through the whole program, with a provider that answers at once: submitted,
durable, claimed, called over HTTP, stored. Prints medians; asserts nothing.

    tests/bench/bench_end_to_end.py BUILD-DIR [--runs 5] [--tasks 5000] [--slots 10 64]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


def start(arguments, **options):
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, **options)
    return process, process.stdout.readline().split()[-1].rstrip("/")


def call(uri, body=None):
    request = urllib.request.Request(uri, headers={"Content-Type": "application/json"})
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(request, data, timeout=120) as reply:
        return json.load(reply)


def run(build, provider, slots, tasks):
    with tempfile.TemporaryDirectory(prefix="gangway-bench-") as home:
        config = pathlib.Path(home) / "gangway.conf"
        config.write_text(
            f"[workers]\nmax-concurrency={slots}\n"
            f"[provider instant]\nbase-url={provider}/v1\nmodel=instant\n"
            f"max-concurrency={slots}\nlatency=0.001\n"
        )
        daemon, uri = start(
            [build / "src/tools/gangwayd", "--port", "0", "--config", config, "--data-dir", home],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        try:
            began = time.perf_counter()
            project = call(f"{uri}/tasks/batch", {"tasks": [f"task {n}" for n in range(tasks)]})
            submitted = time.perf_counter() - began
            name = project["project_id"]
            since = 0
            while True:
                page = call(f"{uri}/tasks?since={since}&wait=30&limit=1000&fields=task_id")
                since = page["revision"]
                done = [p for p in page["projects"] if p["project_id"] == name and p["finished_at"]]
                if done:
                    break
            elapsed = time.perf_counter() - began
            assert done[0]["counts"]["completed"] == tasks, done
        finally:
            daemon.terminate()
            daemon.wait()
    return tasks / elapsed, tasks / submitted


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--slots", type=int, nargs="*", default=[10, 64])
    arguments = parser.parse_args()
    build = arguments.build.resolve()

    provider, provider_uri = start([build / "tests/bench/bare-soup-server"])
    try:
        for slots in arguments.slots:
            runs = [run(build, provider_uri, slots, arguments.tasks) for _ in range(arguments.runs)]
            rate = statistics.median(r[0] for r in runs)
            batch = statistics.median(r[1] for r in runs)
            print(f"{slots:3d} slots: {rate:7.0f} tasks/s end to end; batch in at {batch:8.0f} tasks/s")
    finally:
        provider.terminate()
        provider.wait()


if __name__ == "__main__":
    sys.exit(main())
