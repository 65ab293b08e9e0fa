# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs as children: gangwayd, gangway-batch, the mock provider, and a private home for them.

Readiness is read from the program's own line, or waited for by a condition, never slept for.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import requests

HERE = os.path.dirname(os.path.abspath(__file__))
MOCK = os.path.join(HERE, "..", "mock", "mock_provider.py")
BUILD = os.path.abspath(os.environ.get("GW_BUILD_DIR", os.path.join(HERE, "..", "..", "build")))
PYTHON = "/usr/bin/python3"
PATIENCE = float(os.environ.get("GW_TEST_PATIENCE", "30"))  # s for a condition; never a measure
FINAL = ("completed", "failed", "cancelled")
PASSED_ON = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
             "LD_LIBRARY_PATH", "G_DEBUG", "GW_BUILD_DIR")
STARTED = []  # every Process and Home of this test file
LIVING = set()      # session leaders that were started and not yet ended


def is_sanitized():
    """Whether the programs are built with a sanitizer, which takes memory of its own."""
    path = os.path.join(BUILD, "meson-info", "intro-buildoptions.json")
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        options = {option["name"]: option["value"] for option in json.load(file)}
    return options.get("b_sanitize", "none") != "none"


def program(name):
    """The path of one of the programs in the build directory."""
    for place in (os.path.join(BUILD, "src", "tools", name), os.path.join(BUILD, name)):
        if os.access(place, os.X_OK):
            return place
    raise AssertionError(f"{name} is not built in {BUILD}")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(condition, what, patience=PATIENCE, every=0.02):
    """Calls @condition until it gives something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:g} s in vain for: {what}")
        time.sleep(every)


def is_listening(host, port):
    try:
        socket.create_connection((host, port), 1).close()
        return True
    except OSError:
        return False


class Process:
    """A child in a session of its own, its output read by threads, line by line."""

    def __init__(self, arguments, env=None, stdin=None, cwd=None, name=None):
        self.name = name or os.path.basename(arguments[0])
        self.arguments = arguments
        self.child = subprocess.Popen(
            arguments, env=env, cwd=cwd, start_new_session=True,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.child.pid
        STARTED.append(self)
        LIVING.add(self.pid)
        self.killed = False
        self.changed = threading.Condition()
        self.output = {"stdout": bytearray(), "stderr": bytearray()}
        self.open_streams = 2
        self.readers = [threading.Thread(target=self._read, args=(kind,), daemon=True)
                        for kind in self.output]
        for reader in self.readers:
            reader.start()
        if stdin is not None:
            threading.Thread(target=self._feed, args=(stdin,), daemon=True).start()

    def _read(self, kind):
        stream = getattr(self.child, kind)
        while True:
            data = stream.read1(65536)
            with self.changed:
                if data:
                    self.output[kind] += data
                else:
                    self.open_streams -= 1
                self.changed.notify_all()
            if not data:
                return

    def _feed(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    def text(self, kind):
        with self.changed:
            return self.output[kind].decode("utf-8", "replace")

    @property
    def stdout(self):
        return self.text("stdout")

    @property
    def stderr(self):
        return self.text("stderr")

    @property
    def stdout_bytes(self):
        with self.changed:
            return bytes(self.output["stdout"])

    def wait_line(self, pattern, kind="stdout", patience=PATIENCE):
        """Waits until @pattern is found in the output; fails where the program ends before."""
        end = time.monotonic() + patience
        with self.changed:
            while True:
                match = re.search(pattern, self.output[kind].decode("utf-8", "replace"))
                if match:
                    return match
                left = end - time.monotonic()
                if self.open_streams == 0 or left <= 0:
                    break
                self.changed.wait(left)
        try:
            end = f"it ended with {self.child.wait(1)}"
        except subprocess.TimeoutExpired:
            end = "it runs"
        raise AssertionError(f"{self.name}: no {pattern!r} on {kind}; {end}; it said: "
                             f"{self.stdout[-2000:]}\n{self.stderr[-2000:]}")

    def wait(self, patience=PATIENCE):
        """Waits for the end; returns the exit status (negative: the signal)."""
        try:
            self.child.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} has not ended after {patience:g} s; it said: "
                                 f"{self.stderr[-2000:]}") from None
        for reader in self.readers:
            reader.join(5)
        return self.child.returncode

    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        """kill -9 of the program alone, as a crash does."""
        self.killed = True
        self.child.kill()
        self.wait()

    def terminate(self, patience=PATIENCE):
        self.child.terminate()
        return self.wait(patience)

    def members(self):
        """The living processes of this session, the program itself apart."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != self.pid:
                try:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                        fields = file.read().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.pid and fields[0] not in "ZX":
                    found.append(int(entry))
        return found

    def finish(self):
        """Ends whatever lives of it; returns the pids that should not have lived."""
        if self.running():
            self.kill()
        end = time.monotonic() + 3
        while self.members() and time.monotonic() < end:
            time.sleep(0.05)
        LIVING.discard(self.pid)
        left = self.members()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for reader in self.readers:
            reader.join(5)
        for stream in (self.child.stdout, self.child.stderr, self.child.stdin):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass
        return left


class Home:
    """A private home: no test reads or writes the files of the person who runs it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="gangway-test-")
        STARTED.append(self)
        self.env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self.env.update({
            "HOME": self.path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "GSETTINGS_BACKEND": "memory", "GIO_USE_VFS": "local",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:", "TMPDIR": self.path,
        })
        for name in ("config", "data", "state", "cache", "runtime"):
            os.mkdir(os.path.join(self.path, name), 0o700)
            key = "XDG_RUNTIME_DIR" if name == "runtime" else f"XDG_{name.upper()}_HOME"
            self.env[key] = os.path.join(self.path, name)

    @property
    def config_file(self):
        return os.path.join(self.path, "config", "gangway", "gangway.conf")

    @property
    def data(self):
        return os.path.join(self.path, "data", "gangway")

    def file(self, name, content=None):
        """The path of a file of this home, written if there is content."""
        path = os.path.join(self.path, name)
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        return path

    def configure(self, text):
        return self.file("config/gangway/gangway.conf", text)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def find_text(self, text):
        """The files of this home that hold @text, as UTF-8 or UTF-16."""
        found = []
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                if text.encode() in data or text.encode("utf-16-le") in data:
                    found.append(path)
        return found


class Mock(Process):
    """The strict mock provider."""

    def __init__(self, control=None, port=0, extra=(), listen="127.0.0.1", prefix=()):
        super().__init__([*prefix, PYTHON, MOCK, "--port", str(port), "--listen", listen, *extra],
                         env={"PATH": os.environ["PATH"]}, name="mock")
        self.url = self.wait_line(r"mock: listening on (\S+)").group(1)
        self.port = int(self.url.rpartition(":")[2])
        self.session = requests.Session()
        if control:
            self.control(**control)

    def base(self, name):
        return f"{self.url}/{name}/v1"

    def _post(self, path, body):
        reply = self.session.post(self.url + path, json=body, timeout=10)
        if reply.status_code != 200:
            raise AssertionError(f"mock: {reply.text}")

    def control(self, **order):
        self._post("/control", order)

    def provider(self, name, **settings):
        self._post("/control", {"providers": {name: settings}})

    def reset(self, everything=False):
        self._post("/reset", {"all": everything})

    def stats(self, name=None):
        stats = self.session.get(self.url + "/stats?contents=1&breaches=1", timeout=10).json()
        if name is None:
            return stats
        return stats["providers"].get(name) or dict.fromkeys(
            ("calls", "accepted", "answered", "breaches", "bought", "in_flight"), 0)

    def calls(self, name=None):
        return self.session.get(self.url + "/calls", params={"provider": name} if name else {},
                                timeout=10).json()

    def bought(self):
        """How often each task's answer was bought, over all providers."""
        total = {}
        for provider in self.stats()["providers"].values():
            for content, count in provider["bought_contents"].items():
                total[content] = total.get(content, 0) + count
        return total


class Daemon(Process):
    """gangwayd, and the calls to it."""

    def __init__(self, home, arguments=(), env=None, port=0, prefix=()):
        command = [*prefix, program("gangwayd")]
        if port is not None:
            command += ["--port", str(port)]
        super().__init__([*command, *arguments], env={**home.env, **(env or {})}, cwd=home.path,
                         name="gangwayd")
        self.session = requests.Session()
        self.url = None

    def ready(self):
        self.url = self.wait_line(r"gangwayd: listening on (http://\S+)").group(1)
        self.host, _, port = self.url[7:].rpartition(":")
        self.port = int(port)
        return self

    def request(self, method, path, **more):
        more.setdefault("timeout", 70)
        return self.session.request(method, self.url + path, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        if body is not None:
            more["json"] = body
        return self.request("POST", path, **more)

    def ok(self, method, path, body=None, **more):
        """The JSON of a call that must be answered 200."""
        if body is not None:
            more["json"] = body
        reply = self.request(method, path, **more)
        if reply.status_code != 200:
            raise AssertionError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        return reply.json()

    def task(self, task_id):
        return self.ok("GET", f"/tasks/{task_id}")

    def submit(self, content, **members):
        return self.ok("POST", "/tasks", {"content": content, **members})["task_id"]

    def wait_task(self, task_id, states=FINAL, patience=PATIENCE):
        def look():
            task = self.task(task_id)
            return task if task["status"] in states else None
        return wait_for(look, f"task {task_id} {'/'.join(states)}", patience)

    def wait_project(self, project_id, patience=PATIENCE):
        """Until no task of the project is queued or running."""
        def look():
            project = self.ok("GET", f"/projects/{project_id}")
            counts = project["counts"]
            return project if counts["queued"] + counts["running"] == 0 else None
        return wait_for(look, f"project {project_id} to end", patience, 0.1)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def provider_group(name, base_url, **keys):
    """One [provider NAME] group of gangway.conf."""
    lines = {"enabled": "true", "kind": "openai", "base-url": base_url, "model": "mock-model",
             "max-concurrency": 5, "requests-per-minute": 0, "timeout-seconds": 30, "latency": 1}
    lines.update({key.replace("_", "-"): value for key, value in keys.items()})
    return "\n".join([f"[provider {name}]",
                      *(f"{key}={value}" for key, value in lines.items()), ""])
