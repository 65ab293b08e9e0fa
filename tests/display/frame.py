# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the real window through the accessibility bus, as a screen reader would. Every test gets a
home of its own; the program runs with critical messages fatal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

warnings.simplefilter("ignore")

BUILD = os.environ["GANGWAY_BUILD"]
PROGRAM = os.path.join(BUILD, "src", "ui", "gangway")
PATIENCE = float(os.environ.get("GANGWAY_TEST_PATIENCE", "20"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def port_is_open(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what, test, patience=None):
    """Asks @test until it gives something true; says @what was waited for otherwise."""
    end = time.monotonic() + (patience or PATIENCE)
    while True:
        try:
            value = test()
        except GLib.Error:
            value = None  # the node went away while it was looked at
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not seen: %s" % (what,))
        time.sleep(0.05)


def nodes(root):
    """All nodes below @root, itself first."""
    if root is None:
        return
    yield root
    try:
        count = root.get_child_count()
    except GLib.Error:
        return
    for i in range(count):
        try:
            child = root.get_child_at_index(i)
        except GLib.Error:
            continue
        yield from nodes(child)


def name_of(node):
    try:
        return node.get_name() or ""
    except GLib.Error:
        return ""


def role_of(node):
    try:
        return node.get_role_name()
    except GLib.Error:
        return ""


def text_of(node):
    try:
        text = node.get_text_iface()
        return Atspi.Text.get_text(text, 0, -1) if text else ""
    except GLib.Error:
        return ""


def has_state(node, state):
    try:
        return node.get_state_set().contains(state)
    except GLib.Error:
        return False


class Window:
    """One run of the program."""

    def __init__(self, *arguments, home, env=None):
        self.home = home
        self.log_path = os.path.join(home, "log-%d" % len(os.listdir(home)))
        values = dict(os.environ)
        for name in list(values):
            if name.endswith("_API_KEY") or name.startswith("GANGWAY_") \
                    and name not in ("GANGWAY_BUILD", "GANGWAY_LOCALEDIR"):
                del values[name]
        values.update({
            "HOME": home, "XDG_CONFIG_HOME": home + "/config", "XDG_DATA_HOME": home + "/data",
            "XDG_STATE_HOME": home + "/state", "XDG_CACHE_HOME": home + "/cache",
            "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "keyfile",
            "GSETTINGS_SCHEMA_DIR": os.path.join(BUILD, "data"), "ADW_DISABLE_PORTAL": "1",
            "LC_ALL": "C.UTF-8", "GANGWAY_LOCALEDIR": os.path.join(BUILD, "po"),
            "G_DEBUG": "fatal-criticals", "TZ": "UTC",
        })
        values.update(env or {})
        os.makedirs(home + "/config/gtk-4.0", exist_ok=True)
        with open(home + "/config/gtk-4.0/settings.ini", "w", encoding="utf-8") as f:
            f.write("[Settings]\ngtk-enable-animations=0\ngtk-cursor-blink=0\n"
                    "gtk-font-name=Cantarell 11\n")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, *arguments], env=values, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.app = wait_for("the application on the bus", self.find_app)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def find_app(self):
        if self.process.poll() is not None:
            raise AssertionError("the program ended with %s:\n%s"
                                 % (self.process.returncode, self.log()))
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            app = desktop.get_child_at_index(i)
            if app is not None and app.get_process_id() == self.process.pid \
                    and app.get_child_count() > 0:
                return app
        return None

    def find(self, role, name=None, text=None, test=None, root=None):
        """The first node of @role whose name contains @name and whose text contains @text. (GTK 4.8
        doubles the names of buttons, so names are never compared whole.)"""
        for node in nodes(root or self.app):
            if role and role_of(node) != role:
                continue
            if name is not None and name not in name_of(node):
                continue
            if text is not None and text not in text_of(node):
                continue
            if test is not None and not test(node):
                continue
            return node
        return None

    def wait(self, role, name=None, text=None, patience=None, root=None, test=None):
        def look():
            if self.process.poll() is not None:
                raise AssertionError("the program ended with %s:\n%s"
                                     % (self.process.returncode, self.log()))
            return self.find(role, name, text, test, root)
        try:
            return wait_for("%s %r %r" % (role, name, text), look, patience)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.dump(), self.log())) from None

    def dump(self):
        lines = []

        def walk(node, depth):
            lines.append("%s%s %r %r" % ("  " * depth, role_of(node), name_of(node),
                                         text_of(node)[:80]))
            for i in range(min(node.get_child_count(), 60)):
                child = node.get_child_at_index(i)
                if child is not None:
                    walk(child, depth + 1)
        try:
            walk(self.app, 0)
        except GLib.Error as error:
            lines.append(str(error))
        return "\n".join(lines)

    def button(self, name, patience=None):
        return self.wait("push button", name, patience=patience,
                         test=lambda node: has_state(node, Atspi.StateType.SENSITIVE))

    def press(self, name, patience=None):
        Atspi.Action.do_action(self.button(name, patience), 0)

    def type_task(self, text):
        box = self.wait("text", None, test=lambda node: name_of(node) in ("Task", "任务")
                        and has_state(node, Atspi.StateType.EDITABLE))
        Atspi.EditableText.set_text_contents(box, text)
        return box

    def rows(self):
        table = self.find("table", None) or self.find("tree table", None)
        return [node for node in nodes(table) if role_of(node) in ("table row", "list item")] \
            if table else []

    def row_names(self):
        return [name_of(row) for row in self.rows() if name_of(row)]

    def labels(self):
        return [text_of(node) or name_of(node) for node in nodes(self.app)
                if role_of(node) == "label"]

    def has_label(self, part):
        return any(part in label for label in self.labels())

    def wait_label(self, part, patience=None):
        try:
            wait_for("the words %r" % part, lambda: self.has_label(part), patience)
        except AssertionError as error:
            raise AssertionError("%s\n%s\n%s" % (error, self.dump(), self.log())) from None

    def window_id(self):
        def look():
            found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid",
                                    str(self.process.pid)], capture_output=True, text=True,
                                   check=False).stdout.split()
            return found and found[-1]
        return wait_for("a window on the screen", look)

    def key(self, *keys):
        """Presses keys; without a window manager the window under the pointer gets them."""
        subprocess.run(["xdotool", "windowfocus", self.window_id()], check=False,
                       capture_output=True)
        subprocess.run(["xdotool", "mousemove", "200", "12"], check=False, capture_output=True)
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], check=True,
                       capture_output=True)

    def shot(self, path):
        subprocess.run(["import", "-window", self.window_id(), path], check=True)

    def wait_end(self, patience=None):
        try:
            return self.process.wait(patience or PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("the program did not end:\n" + self.log()) from None

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class DisplayTest(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="gangway-display-")
        self.windows = []
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def open(self, *arguments, env=None):
        window = Window(*arguments, home=self.home, env=env)
        self.windows.append(window)
        self.addCleanup(window.close)
        return window

    def assert_clean(self, window):
        """No critical and no warning of GTK or GLib in the log."""
        for line in window.log().splitlines():
            self.assertNotRegex(line, r"(Gtk|GLib|GObject|Adwaita|Gsk|Gdk|Pango)[\w-]*-"
                                      r"(WARNING|CRITICAL)")


def main():
    """Runs the tests of the calling file and tells the outcome as TAP."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    tests = [test for group in suite for test in group]
    wanted = sys.argv[1:]
    if wanted:
        tests = [t for t in tests if any(w in t.id() for w in wanted)]
    print("TAP version 13\n1..%d" % len(tests), flush=True)
    bad = 0
    for number, test in enumerate(tests, 1):
        result = unittest.TestResult()
        test.run(result)
        name = re.sub(r"^__main__\.", "", test.id())
        problems = result.failures + result.errors
        if problems:
            bad += 1
            for _, trace in problems:
                print("# " + trace.replace("\n", "\n# "))
            print("not ok %d - %s" % (number, name), flush=True)
        elif result.skipped:
            print("ok %d - %s # SKIP %s" % (number, name, result.skipped[0][1]), flush=True)
        else:
            print("ok %d - %s" % (number, name), flush=True)
    sys.exit(1 if bad else 0)
