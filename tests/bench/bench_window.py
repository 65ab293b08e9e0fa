#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window's figures (performance.md 13 to 15) in a real window under Xvfb against a real
gateway: start to first frame and memory beside gnome-text-editor, first and all rows of 100 000
tasks, stalls of the main loop at 1 000 changes a second while the list is scrolled, and how long
after its end a task's row shows it, where that is in view. Prints medians; asserts nothing. There is
no graphics card in it: what a frame costs is the processor's drawing, and is said beside the work.

    tests/bench/bench_window.py BUILD-DIR [--only start,rows,changes] [--runs 5] [--tasks 100000]
                                [--change-runs 3] [--seconds 15]

takes some three minutes, with a build of `meson setup --buildtype=release`.
"""

import argparse
import json
import mmap
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

# Slots of the practice provider, which answers after about 0.3 s: two changes a task.
SLOTS = 150
CONFIG = f"""[workers]
max-concurrency={SLOTS}
[provider practice]
kind=practice
enabled=true
max-concurrency={SLOTS}
"""

SCREEN = 1280, 800


def call(uri, body=None):
    request = urllib.request.Request(uri, headers={"Content-Type": "application/json"})
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(request, data, timeout=120) as reply:
        return json.load(reply)


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


class Place:
    """A display, a session bus and a home that nothing else uses."""

    def __init__(self, build):
        self.build = build
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gangway-bench-"))
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "%dx%dx24" % SCREEN, "-nolisten",
             "tcp", "-noreset", "-fbdir", self.folder],
            pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read, encoding="ascii") as file:
            display = ":" + file.readline().strip()
        with open(self.folder / "Xvfb_screen0", "rb") as file:
            self.screen = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        address = f"unix:path={self.folder}/bus"
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                                     "--address=" + address], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        while not (self.folder / "bus").exists():
            time.sleep(0.02)
        settings = self.folder / "config/gtk-4.0/settings.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text("[Settings]\ngtk-enable-animations=0\ngtk-cursor-blink=0\n")
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                    "XDG_RUNTIME_DIR": str(self.folder), "DISPLAY": display,
                    "XDG_CONFIG_HOME": str(self.folder / "config"),
                    "XDG_DATA_HOME": str(self.folder / "data"),
                    "XDG_STATE_HOME": str(self.folder / "state"),
                    "XDG_CACHE_HOME": str(self.folder / "cache"),
                    "DBUS_SESSION_BUS_ADDRESS": address, "GDK_BACKEND": "x11",
                    "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "memory",
                    "GSETTINGS_SCHEMA_DIR": str(build / "data"), "ADW_DISABLE_PORTAL": "1",
                    "GTK_A11Y": "none"}

    def close(self):
        for process in (self.bus, self.server):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def line(self):
        """The pixels of one line of the screen."""
        width, height = SCREEN
        begin = len(self.screen) - 4 * width * (height - 300)
        return self.screen[begin:begin + 4 * width]

    def time_until_drawn(self, process):
        """Seconds until a process, which is just being started, has drawn something."""
        before, began = self.line(), time.monotonic()
        child = process()
        while self.line() == before:
            if time.monotonic() > began + 30:
                raise SystemExit("nothing is drawn within 30 s")
            time.sleep(0.002)
        return time.monotonic() - began, child

    def wait_until_gone(self):
        while any(self.line()[:400]):
            time.sleep(0.02)

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.env, capture_output=True,
                              text=True, check=False).stdout.split()


class Window:
    def __init__(self, place, uri):
        self.place = place
        self.probe = place.folder / "probe"
        self.probe.unlink(missing_ok=True)
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            [place.build / "src/ui/gangway", "--gateway", uri], stderr=subprocess.DEVNULL,
            env={**place.env, "GANGWAY_PROBE": str(self.probe)})

    def lines(self, word, since=0.0):
        """(seconds on the monotonic clock, number) of each line."""
        found = []
        for line in self.probe.read_text(encoding="ascii").splitlines():
            parts = line.split()
            if len(parts) == 3 and parts[0] == word and int(parts[1]) / 1e6 >= since:
                found.append((int(parts[1]) / 1e6, int(parts[2])))
        return found

    def wait(self, word, least=0, patience=60):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.probe.exists():
                for at, value in self.lines(word):
                    if value >= least:
                        return at
            time.sleep(0.05)
        raise SystemExit(f"the window has not said {word} {least} within {patience} s")

    def memory(self):
        return resident_mib(self.child.pid)

    def close(self):
        self.child.terminate()
        self.child.wait()


class Daemon:
    def __init__(self, place, config=""):
        self.folder = tempfile.mkdtemp(prefix="data-", dir=place.folder)
        path = pathlib.Path(self.folder) / "gangway.conf"
        path.write_text(config)
        self.child = subprocess.Popen(
            [place.build / "src/tools/gangwayd", "--port", "0", "--config", path, "--data-dir",
             self.folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=place.env)
        self.uri = self.child.stdout.readline().split()[-1].rstrip("/")

    def submit(self, count, name="bench", concurrency=None):
        """All in one project that is paused, so that the window comes to a list at rest."""
        project = call(f"{self.uri}/tasks/batch", {
            "project": name, "paused": True, **({"concurrency": concurrency} if concurrency else {}),
            "tasks": [
                {"content": f"Summarise chapter {n} of the annual report in three sentences",
                 "provider": "practice"} for n in range(count)]})
        return project["project_id"]

    def close(self):
        self.child.terminate()
        self.child.wait()


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def median(values):
    return statistics.median(values)


def measure_editor(place):
    shown, child = place.time_until_drawn(lambda: subprocess.Popen(
        ["gnome-text-editor", "--standalone"], env=place.env, stderr=subprocess.DEVNULL))
    time.sleep(1)
    memory = resident_mib(child.pid)
    child.terminate()
    child.wait()
    place.wait_until_gone()
    return shown, memory


def measure_ours(place, daemon):
    shown, window = place.time_until_drawn(lambda: Window(place, daemon.uri))
    time.sleep(1)
    memory = window.memory()
    window.close()
    place.wait_until_gone()
    return shown, memory


def measure_start(place, runs):
    daemon = Daemon(place)
    ours, peers = [], []
    has_peer = shutil.which("gnome-text-editor") is not None
    try:
        for run in range(runs + 1):
            mine = measure_ours(place, daemon)
            other = measure_editor(place) if has_peer else None
            if run == 0:  # reads both from the disk
                continue
            ours.append(mine)
            peers.append(other)
    finally:
        daemon.close()
    start, memory = (median([run[i] for run in ours]) for i in (0, 1))
    print(f"13 empty: on screen after {start * 1000:.0f} ms, {memory:.0f} MiB")
    if has_peer:
        start2, memory2 = (median([run[i] for run in peers]) for i in (0, 1))
        print(f"   gnome-text-editor: {start2 * 1000:.0f} ms, {memory2:.0f} MiB; ratios "
              f"{start / start2:.2f} and {memory / memory2:.2f}")
    else:
        print("   SKIPPED the comparison: gnome-text-editor is not installed "
              "(apt-get install gnome-text-editor)")
    return memory


def measure_rows(place, runs, tasks, empty):
    daemon = Daemon(place, CONFIG)
    first, all_rows, memory, stalls, cpu = [], [], [], [], []
    try:
        daemon.submit(tasks)
        for _ in range(runs):
            window = Window(place, daemon.uri)
            done = window.wait("painted", tasks)
            began = window.wait("list")
            first.append(window.wait("painted", 1) - began)
            all_rows.append(done - began)
            stalls.append(max(us for _, us in window.lines("busy", began)) / 1000)
            cpu.append(max(us for _, us in window.lines("cpu", began)) / 1000)
            time.sleep(1)
            memory.append(window.memory())
            window.close()
    finally:
        daemon.close()
    print(f"13 {tasks} tasks: first rows on screen after {median(first) * 1000:.0f} ms, all after "
          f"{median(all_rows):.2f} s, {median(memory) - empty:.0f} MiB more than empty; longest "
          f"turn of the loop meanwhile {median(stalls):.1f} ms ({median(cpu):.1f} ms of work)")


def scroll(place, stop):
    """Wheel turns, some sixty a second, up from the end and down to it again."""
    while not stop.is_set():
        for button, times in (("4", "30"), ("5", "45")):
            place.xdotool("mousemove", "300", "400", "click", "--repeat", times, "--delay", "16",
                          button)


def add_watched(daemon, until):
    """Adds tasks, ten a second, each of which has a free slot at once: its row comes at the end."""
    n = 0
    while time.monotonic() < until:
        n += 1
        call(f"{daemon.uri}/tasks", {"content": f"A question in between, number {n}",
                                     "provider": "practice", "priority": 100})
        time.sleep(0.1)


def measure_changes(place, runs, tasks, seconds, scrolled):
    p50, p99, longest, p99_work, longest_work, frames = [], [], [], [], [], []
    shown, rates = [], []
    for _ in range(runs):
        daemon = Daemon(place, CONFIG)
        window = None
        stop = threading.Event()
        thread = threading.Thread(target=scroll, args=(place, stop))
        try:
            project = daemon.submit(tasks)
            window = Window(place, daemon.uri)
            window.wait("painted", tasks)
            time.sleep(1)
            # To the last row: what is added is seen.
            place.xdotool("mousemove", "300", "400", "keydown", "ctrl", "click", "1", "keyup",
                          "ctrl", "key", "End")
            call(f"{daemon.uri}/projects/{project}/resume", {})
            if scrolled:
                thread.start()
            time.sleep(2)
            since, before = time.monotonic(), call(f"{daemon.uri}/projects/{project}")["counts"]
            add_watched(daemon, since + seconds)
            until, after = time.monotonic(), call(f"{daemon.uri}/projects/{project}")["counts"]
            stop.set()
            busy = [us / 1000 for at, us in window.lines("busy", since) if at <= until]
            work = [us / 1000 for at, us in window.lines("cpu", since) if at <= until]
            drawn = [us / 1000 for at, us in window.lines("drawn", since) if at <= until]
            shown += [ms for at, ms in window.lines("shown", since) if at <= until]
            rates.append(2 * (after["completed"] - before["completed"]) / (until - since))
            p50.append(percentile(busy, 0.5))
            p99.append(percentile(busy, 0.99))
            longest.append(max(busy))
            p99_work.append(percentile(work, 0.99))
            longest_work.append(max(work))
            frames.append((len(drawn) / (until - since), percentile(drawn, 0.5),
                           percentile(drawn, 0.99), max(drawn)))
        finally:
            stop.set()
            if thread.is_alive():
                thread.join()
            if window is not None:
                window.close()
            daemon.close()
    rate, half, most, worst = (median([frame[i] for frame in frames]) for i in range(4))
    print(f"14 {median(rates):.0f} changes/s, {tasks} tasks, list "
          f"{'scrolled' if scrolled else 'at rest'}: a turn of the loop takes p50 "
          f"{median(p50):.1f} ms, p99 {median(p99):.1f} ms, at most {median(longest):.1f} ms "
          f"(of work: p99 {median(p99_work):.1f} ms, at most {median(longest_work):.1f} ms)")
    print(f"   of these {rate:.0f} a second draw a frame: layout and drawing take p50 "
          f"{half:.1f} ms, p99 {most:.1f} ms, at most {worst:.1f} ms of work")
    if shown:
        print(f"15 end of a task to the frame that shows it: p50 {percentile(shown, 0.5)} ms, "
              f"p99 {percentile(shown, 0.99)} ms, at most {max(shown)} ms ({len(shown)} rows)")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=100000)
    parser.add_argument("--change-runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--only", default="start,rows,changes")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    place = Place(arguments.build.resolve())
    try:
        if "start" in wanted or "rows" in wanted:
            empty = measure_start(place, arguments.runs)
        if "rows" in wanted:
            measure_rows(place, arguments.runs, arguments.tasks, empty)
        for scrolled in (False, True) if "changes" in wanted else ():
            measure_changes(place, arguments.change_runs if scrolled else 1, arguments.tasks,
                            arguments.seconds, scrolled)
    finally:
        place.close()


if __name__ == "__main__":
    sys.exit(main())
