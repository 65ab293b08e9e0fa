#!/usr/bin/python3
"""Durable POST /tasks per second: gangwayd, a bare SoupServer and FastAPI with Redis (AOF always), in
turn, in one run. Prints medians and ratios; asserts nothing.

    tests/bench/bench_post.py BUILD-DIR [--runs 5] [--seconds 3]
"""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def wait_line(process, pattern):
    for line in process.stdout:
        match = re.search(pattern, line)
        if match:
            return match.group(1)
    raise SystemExit("a server did not start")


def start_gangway(build, folder):
    process = subprocess.Popen(
        [build / "src/tools/gangwayd", "--port", "0", "--no-workers", "--data-dir", folder / "data"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")},
    )
    return [process], wait_line(process, r"listening on (\S+)").rstrip("/")


def start_bare(build, folder):
    process = subprocess.Popen(
        [build / "tests/bench/bare-soup-server"], stdout=subprocess.PIPE, text=True
    )
    return [process], wait_line(process, r"listening on (\S+)").rstrip("/")


def start_fastapi(build, folder):
    if not shutil.which("redis-server"):
        return None
    socket = folder / "redis.sock"
    redis = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder]
        + ["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    port = 18431
    server = subprocess.Popen(
        ["/usr/bin/python3", "-m", "uvicorn", "fastapi_peer:app", "--port", str(port)]
        + ["--no-access-log", "--log-level", "warning"],
        cwd=HERE,
        env={**os.environ, "PEER_REDIS_SOCKET": str(socket)},
    )
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/docs", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    return [server, redis], f"http://127.0.0.1:{port}"


def wrk(uri, connections, seconds):
    output = subprocess.run(
        ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency"]
        + ["-s", HERE / "post.lua", uri],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    half, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", output).groups()
    if "Non-2xx" in output:
        print("  some answers were not 200:", re.search(r"Non-2xx.*", output).group(0))
    return rate, float(half) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def fsync_ms(folder, count=200):
    """Median of an fdatasync after 24 KiB, the disk's share of a commit."""
    times = []
    with open(folder / "sync", "wb") as file:
        for _ in range(count):
            file.write(os.urandom(24 * 1024))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64])
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    if not shutil.which("wrk"):
        raise SystemExit("bench_post: wrk is not installed (scripts/install-packages bench)")

    servers = {"gangwayd": start_gangway, "bare": start_bare, "fastapi": start_fastapi}
    running = []
    with tempfile.TemporaryDirectory(prefix="gangway-bench-") as name:
        folder = pathlib.Path(name)
        print(f"fdatasync of 24 KiB: p50 {fsync_ms(folder):.2f} ms")
        uris = {}
        try:
            for label, start in servers.items():
                home = folder / label
                home.mkdir()
                started = start(arguments.build, home)
                if started is None:
                    print(f"NOT MEASURED: {label} (its packages are not installed)")
                    continue
                running += started[0]
                uris[label] = started[1]
            for connections in arguments.connections:
                rates = {label: [] for label in uris}
                halves = {label: [] for label in uris}
                for _ in range(arguments.runs):
                    for label, uri in uris.items():
                        rate, half = wrk(uri, connections, arguments.seconds)
                        rates[label].append(rate)
                        halves[label].append(half)
                base = statistics.median(rates["gangwayd"])
                for label in uris:
                    median = statistics.median(rates[label])
                    print(
                        f"{connections:3d} connections  {label:9s} {median:9.0f} POST/s"
                        f"  p50 {statistics.median(halves[label]):6.2f} ms"
                        f"  gangwayd/{label} {base / median:5.2f}"
                    )
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
