# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the cases of a test file and speaks TAP.

Where the kernel allows it, each test file runs in a network namespace of its own: then the default
address, 127.0.0.1:8000, is its own too, nothing gets out of the machine, and files run in parallel.
Elsewhere a lock gives port 8000 to one file after the other.
"""

import atexit
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
import unittest

from processes import LIVING, STARTED, Home, Process


def take_own_network():
    """Moves this process to a network of its own, with a working loopback; False if it may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_user, new_network = 0x10000000, 0x40000000
    if os.environ.get("GW_TEST_SHARED_NETWORK"):
        return False
    if libc.unshare(new_network) != 0:
        uid, gid = os.getuid(), os.getgid()
        if libc.unshare(new_user | new_network) != 0:
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"),
                           ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, 0x8913, request))[1]
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))
    return True


def take_port_8000():
    """Without a network of its own: waits until no other test file uses the default address."""
    lock = open(os.path.join(tempfile.gettempdir(), "gangway-test-port-8000.lock"), "w",
                encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    atexit.register(lock.close)


class TapResult(unittest.TestResult):
    """Prints one TAP line for each case."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.started = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def _line(self, test, ok, more=""):
        self.number += 1
        name = test.id().replace("__main__.", "").replace("#", "")
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{more}", flush=True)

    def _say(self, error):
        text = "".join(traceback.format_exception(*error, chain=False))
        print("# " + text.rstrip().replace("\n", "\n# "), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line(test, True)
        print(f"# {time.monotonic() - self.started:.2f} s", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(test, False)
        self._say(err)

    def addError(self, test, err):
        super().addError(test, err)
        self._line(test, False)
        self._say(err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._line(subtest, False)
            self._say(err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(test, True, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._line(test, True)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._line(test, False)


def end_at_once(number, _frame):
    """A run that is broken off (a time limit, Ctrl+C) leaves no program behind either."""
    for pid in LIVING:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(128 + number)


def end_everything(number, _frame):
    """The file itself is ended, by who runs it or for taking too long: so is all that it started."""
    for one in STARTED:
        if isinstance(one, Process):
            for pid in [*one.members(), *([one.pid] if one.running() else [])]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
    for one in STARTED:
        if isinstance(one, Home):
            one.remove()
    os._exit(128 + number)


def main():
    """Runs the cases of the calling file, or those named by arguments, and speaks TAP."""
    global OWN_NETWORK
    signal.signal(signal.SIGTERM, end_at_once)
    signal.signal(signal.SIGINT, end_at_once)
    OWN_NETWORK = take_own_network()
    if not OWN_NETWORK:
        take_port_8000()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end_everything)
    print("TAP version 13", flush=True)
    suite = unittest.TestLoader()
    module = sys.modules["__main__"]
    names = sys.argv[1:]
    cases = suite.loadTestsFromNames(names, module) if names \
        else suite.loadTestsFromModule(module)
    result = TapResult()
    cases.run(result)
    print(f"1..{result.number}", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)
