#!/usr/bin/python3
"""Tasks per second end to end over Redis with AOF always: gangwayd --redis and a BullMQ worker, in
turn, against the same provider that answers at once over HTTP. Prints medians and their ratio;
asserts nothing. BullMQ is looked for in a folder where it was installed by `npm install bullmq ioredis`.

    tests/bench/bench_redis_peer.py BUILD-DIR BULLMQ-FOLDER [--runs 5] [--tasks 3000] [--slots 10 64]
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def call(uri, body=None):
    request = urllib.request.Request(uri, headers={"Content-Type": "application/json"})
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(request, data, timeout=120) as reply:
        return json.load(reply)


@contextlib.contextmanager
def program(arguments, word=None, **options):
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, **options)
    try:
        line = ""
        while word and word not in line:
            line = process.stdout.readline()
            if not line:
                sys.exit(f"{arguments[0]} did not start")
        yield line.split()[-1].rstrip("/") if word else process
    finally:
        process.terminate()
        process.communicate()


def redis(folder):
    socket = folder / "redis.sock"
    return socket, program(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        + ["--appendonly", "yes", "--appendfsync", "always"],
        "ready to accept connections",
    )


def run_bullmq(folder, provider, tasks, slots, modules):
    socket, server = redis(folder)
    with server:
        output = subprocess.run(
            ["node", HERE / "bullmq_peer.mjs", socket, provider, str(tasks), str(slots)],
            cwd=modules, capture_output=True, text=True, check=True, timeout=300,
        )
    return float(output.stdout)


def run_gangway(folder, provider, tasks, slots, build):
    config = folder / "gangway.conf"
    config.write_text(
        f"[workers]\nmax-concurrency={slots}\n"
        f"[provider instant]\nbase-url={provider}/v1\nmodel=instant\n"
        f"max-concurrency={slots}\nlatency=0.001\n"
    )
    socket, server = redis(folder)
    daemon = [build / "src/tools/gangwayd", "--port", "0", "--config", config, "--data-dir", folder]
    daemon += ["--redis", f"redis+unix://{socket}"]
    environment = {**os.environ, "HOME": str(folder)}
    with server, program(daemon, "listening", env=environment, stderr=subprocess.DEVNULL) as uri:
        began = time.perf_counter()
        made = call(f"{uri}/tasks/batch", {"tasks": [f"task {n}" for n in range(tasks)]})
        since = 0
        while True:
            page = call(f"{uri}/tasks?since={since}&wait=30&limit=1000&fields=task_id")
            since = page["revision"]
            for project in page["projects"]:
                if project["project_id"] == made["project_id"] and project["finished_at"]:
                    assert project["counts"]["completed"] == tasks, project
                    return tasks / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("bullmq", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--slots", type=int, nargs="*", default=[10, 64])
    arguments = parser.parse_args()
    build, modules = arguments.build.resolve(), arguments.bullmq.resolve()
    if not shutil.which("redis-server"):
        sys.exit("SKIPPED: there is no redis-server")
    peer = bool(shutil.which("node")) and (modules / "node_modules/bullmq").is_dir()
    if not peer:
        print(f"PEER SKIPPED: there is no node, or no bullmq in {modules} (npm install bullmq ioredis)")

    rates = {}
    with program([build / "tests/bench/bare-soup-server"], "listening") as provider:
        for slots in arguments.slots:
            for _ in range(arguments.runs):
                for name in ("gangway", "bullmq") if peer else ("gangway",):
                    run = run_gangway if name == "gangway" else run_bullmq
                    with tempfile.TemporaryDirectory(prefix="gangway-bench-") as home:
                        rate = run(pathlib.Path(home), provider, arguments.tasks, slots,
                                   build if name == "gangway" else modules)
                    rates.setdefault((slots, name), []).append(rate)
            own = statistics.median(rates[slots, "gangway"])
            line = f"{slots:3d} slots: gangwayd --redis {own:6.0f} tasks/s"
            if peer:
                other = statistics.median(rates[slots, "bullmq"])
                line += f", BullMQ {other:6.0f}: {own / other:.2f}x"
            print(line, flush=True)


if __name__ == "__main__":
    main()
