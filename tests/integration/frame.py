# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame of the integration tests: real programs, a private home, free ports, nothing left behind.

A test file makes its classes from `Case`, starts what it needs by `self.mock()`, `self.daemon()` and
`self.batch()`, and ends with `frame.main()`. The programs, and how they are waited for, are in
processes.py; how a file is run in runner.py. The programs come from the build directory that
GW_BUILD_DIR names.

At the end of a case every process has ended and every port is closed, and no program may have said
CRITICAL, AddressSanitizer or runtime error.
"""

import os
import re
import signal
import subprocess
import unittest

# What test files take from here.
from processes import (  # noqa: F401
    BUILD, FINAL, HERE, MOCK, PATIENCE, PYTHON, Daemon, Home, Mock, Process, free_port,
    is_listening, is_sanitized, program, provider_group, wait_for)
from runner import main  # noqa: F401

BAD_WORDS = re.compile(
    r"CRITICAL|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Segmentation fault|"
    r"GLib-GObject-WARNING|GLib-WARNING|double free|stack smashing")
CANARY = "canary-7f3a9c51d2e84b60-never-to-be-seen"
REPORTED = 6000     # characters of a program's output that a failure shows


class Case(unittest.TestCase):
    """A case with its own home; whatever it starts is ended and looked over afterwards."""

    maxDiff = None

    def setUp(self):
        self.home = Home()
        self.processes = []
        self.addCleanup(self._clean_up)

    def cannot(self, reason):
        """What this machine cannot show is skipped by a person, and fails where nobody looks."""
        if os.environ.get("CI") == "true":
            self.fail(reason)
        self.skipTest(reason)

    def run(self, result=None):
        """What the programs have said goes with a failure: a log is often all that is left of it."""
        method = getattr(self, self._testMethodName)

        def explained():
            try:
                method()
            except unittest.SkipTest:
                raise
            except Exception as error:
                error.add_note(self.report())
                raise
        setattr(self, self._testMethodName, explained)
        return super().run(result)

    def report(self):
        """The state of everything that this case has started, in words."""
        lines = []
        for process in self.processes:
            state = "runs" if process.running() else f"ended with {process.child.returncode}"
            lines.append(f"== {process.name} ({process.pid}) {state}")
            for kind in ("stdout", "stderr"):
                said = process.text(kind).rstrip()
                if said:
                    lines.append(f"-- its {kind}:\n{said[-REPORTED:]}")
        return "\n".join(lines)

    def _clean_up(self):
        left, ports, said = {}, [], []
        for process in self.processes:
            port = getattr(process, "port", None) if isinstance(process, Daemon) else None
            if isinstance(process, Daemon) and process.running() and process.url is not None:
                process.child.terminate()
                try:
                    process.child.wait(2)
                except subprocess.TimeoutExpired:
                    process.child.terminate()   # calls that hang are not waited for
                try:
                    process.child.wait(20)
                except subprocess.TimeoutExpired:
                    said.append(f"{process.name} has not ended 20 s after two SIGTERM")
        for process in self.processes:
            if isinstance(process, Mock):
                process.session.close()
            elif isinstance(process, Daemon):
                process.session.close()
                if process.url is not None:
                    ports.append((process.host.strip("[]"), process.port))
            alive = process.finish()
            number = -process.child.returncode
            if number > 0 and not process.killed and number not in (
                    signal.SIGTERM, signal.SIGINT):
                said.append(f"{process.name} died of {signal.Signals(number).name}; its end: "
                            f"{process.stderr[-1500:]}")
            if alive:
                left[process.name] = alive
            for kind in ("stdout", "stderr"):
                found = BAD_WORDS.search(process.text(kind))
                if found:
                    start = max(0, found.start() - 300)
                    said.append(f"{process.name} said: "
                                f"{process.text(kind)[start:found.start() + 3000]}")
        for host, port in ports:
            if is_listening(host, port):
                said.append(f"something still listens on {host}:{port}")
        if left:
            said.append(f"processes left: {left}")
        self.home.remove()
        self.assertEqual(said, [])

    def keep(self, process):
        self.processes.append(process)
        return process

    def mock(self, **order):
        """Starts a mock; arguments as for POST /control."""
        return self.keep(Mock(order or None))

    def daemon(self, *arguments, config=None, env=None, port=0):
        """Starts gangwayd and waits until it serves; @config is written first."""
        if config is not None:
            self.home.configure(config)
        return self.keep(Daemon(self.home, arguments, env, port)).ready()

    def daemon_unready(self, *arguments, config=None, env=None, port=0):
        """Starts gangwayd that is expected to end by itself."""
        if config is not None:
            self.home.configure(config)
        return self.keep(Daemon(self.home, arguments, env, port))

    def batch(self, *arguments, stdin=None, env=None, cwd=None):
        """Starts gangway-batch."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return self.keep(Process([program("gangway-batch"), *arguments],
                                 env={**self.home.env, **(env or {})}, stdin=stdin,
                                 cwd=cwd or self.home.path))

    def run_batch(self, *arguments, code=0, patience=60, **more):
        """Runs gangway-batch to its end, which must be @code."""
        process = self.batch(*arguments, **more)
        seen = process.wait(patience)
        self.assertEqual(seen, code, f"gangway-batch {' '.join(arguments)}\n"
                         f"stdout: {process.stdout[-1500:]}\nstderr: {process.stderr[-3000:]}")
        return process

    def lanes(self, mock, workers="", **lanes):
        """A configuration of lanes at @mock: name=dict of keys."""
        text = f"[workers]\n{workers}\n" if workers else ""
        return text + "".join(provider_group(name, mock.base(name), **keys)
                              for name, keys in lanes.items())

    def problem(self, reply, status, *words):
        """Asserts that @reply is problem+json of @status whose detail has @words; returns it."""
        self.assertEqual(reply.status_code, status, reply.text[:500])
        self.assertEqual(reply.headers["Content-Type"].split(";")[0], "application/problem+json")
        problem = reply.json()
        for member in ("type", "title", "status", "detail", "code"):
            self.assertIn(member, problem)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["detail"].strip())
        for word in words:
            self.assertIn(word, problem["detail"])
        return problem

    def one_clear_line(self, process):
        """Beside the log, standard error has one line."""
        lines = [line for line in process.stderr.splitlines()
                 if not re.match(r"\d{4}-\d\d-\d\dT", line)]
        self.assertEqual(len(lines), 1, process.stderr)
        return lines[0]

    def diagnose(self, text):
        """A line for people in the TAP output; nothing is judged by it."""
        print("# " + str(text).replace("\n", "\n# "), flush=True)
