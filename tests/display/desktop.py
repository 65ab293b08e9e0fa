# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the real window through the accessibility bus, as a screen reader would, on a display and
a session bus of its own. Stands on the frame of the integration tests: private home, own network, no
process and no port left behind, no critical message."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import accessible  # noqa: E402
import frame  # noqa: E402
from accessible import StateType  # noqa: E402
from gi.repository import Gio, GLib  # noqa: E402

DESKTOP = None
DEFAULT_PORT = 8000
PATIENCE = 2 * frame.PATIENCE  # s; a window with its display and buses wants more of a busy machine
# What the toolkit says when a widget is used wrongly; ours and the gateway's own are other domains.
TOOLKIT_SAID = re.compile(r"(warning|error) (Gtk|GLib|GLib-GObject|GLib-GIO|Adwaita|Gdk|Gsk|Pango):"
                          # A desktop that shows no notifications.
                          r"(?! unable to send notifications through)"
                          # The shortcuts window of GTK 4.8 says this of its own key caps.
                          r"(?! GtkLabel \S+ \(label\) reported min width -\d)")


# What shows words to a person.
WORDS = ("label", "text", "push button", "toggle button", "check box", "status bar")

# A session bus on which nothing starts by itself but what screen readers need: portals or a keyring
# of the machine that runs the tests would answer otherwise than none does.
BUS = """<busconfig><type>session</type><listen>{address}</listen>
<servicedir>{folder}/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""
SCREEN_READERS = "/usr/share/dbus-1/services/org.a11y.Bus.service"


class Desktop:
    """An X server and a session bus, without a window manager."""

    def __init__(self, size="1280x800", folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="gangway-desktop-")
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size + "x24", "-nolisten", "tcp",
             "-noreset"], pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read, encoding="ascii") as file:
            self.display = ":" + file.readline().strip()
        address = "unix:path=" + os.path.join(self.folder, "bus")
        for name in ("WAYLAND_DISPLAY", "GTK_A11Y", "XAUTHORITY", "AT_SPI_BUS_ADDRESS"):
            os.environ.pop(name, None)
        os.environ.update({"DISPLAY": self.display, "XDG_RUNTIME_DIR": self.folder,
                           "DBUS_SESSION_BUS_ADDRESS": address, "LC_ALL": "C.UTF-8"})
        os.mkdir(os.path.join(self.folder, "services"))
        shutil.copy(SCREEN_READERS, os.path.join(self.folder, "services"))
        config = os.path.join(self.folder, "bus.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(BUS.format(address=address, folder=self.folder))
        self.bus = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile",
                                     "--config-file=" + config],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        frame.wait_for(lambda: os.path.exists(os.path.join(self.folder, "bus")), "the session bus")
        self.accessibility = self._start_accessibility(address)

    @staticmethod
    def _start_accessibility(address):
        """The window gives it up at once where it is not there in time."""
        flags = Gio.DBusConnectionFlags

        def connect():
            try:
                return Gio.DBusConnection.new_for_address_sync(
                    address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None,
                    None)
            except GLib.Error:
                return None  # its socket is there, and nobody listens yet
        bus = frame.wait_for(connect, "the session bus to listen")

        def ask():
            try:
                return accessible.Bus(bus)
            except GLib.Error:
                return None
        found = frame.wait_for(ask, "the accessibility bus", PATIENCE)
        bus.close_sync(None)
        return found

    def stop(self):
        self.accessibility.close()
        for process in (self.bus, self.server):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def desktop():
    global DESKTOP
    if DESKTOP is None:
        DESKTOP = Desktop()
    return DESKTOP


def nodes(root):
    """All nodes below @root, itself first: of a program as they are now, of one of its nodes as they
    were when that was found."""
    if root is None:
        return []
    return root.read() if root.path == accessible.ROOT else root.walk()


def asked(question):
    """The answer of a node to @question; empty where it is gone."""
    def ask(node):
        try:
            return question(node)
        except GLib.Error:
            return ""
    return ask


def role_of(node):
    return node.role


# As they are now; what was read with all the others stands in members of the node.
name_of = asked(accessible.Node.get_name)
description_of = asked(accessible.Node.get_description)
text_of = asked(accessible.Node.get_text)


def has_state(node, state):
    try:
        return node.has_state(state)
    except GLib.Error:
        return False


def extents_of(node):
    """Where @node is in its window: left, top, width and height."""
    at = node.get_extents()
    return at.x, at.y, at.width, at.height


def xdotool(*arguments):
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True,
                          check=False).stdout.strip()


class Window(frame.Process):
    """One run of the program."""

    ALLOWED = None  # a pattern of what the toolkit may say here all the same

    def __init__(self, home, arguments=(), env=None):
        place = desktop()
        values = {**home.env,
                  "DISPLAY": place.display, "XDG_RUNTIME_DIR": place.folder,
                  "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
                  "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "keyfile",
                  "GSETTINGS_SCHEMA_DIR": os.path.join(frame.BUILD, "data"),
                  "GANGWAY_LOCALEDIR": os.path.join(frame.BUILD, "po"),
                  "ADW_DISABLE_PORTAL": "1", "G_DEBUG": "fatal-criticals", **(env or {})}
        self.env = values
        home.file("config/gtk-4.0/settings.ini",
                  "[Settings]\ngtk-enable-animations=0\ngtk-cursor-blink=0\n"
                  "gtk-font-name=Cantarell 11\n")
        # Large Text, as GTK hears of it from an X server without a settings manager.
        home.file(".Xdefaults", f"Xft.dpi: {values.pop('GW_TEST_DPI', '96')}\n")
        super().__init__([os.path.join(frame.BUILD, "src", "ui", "gangway"), *arguments],
                         env=values, cwd=home.path, name="gangway")
        self.app = None
        self.trouble = None  # the last thing that could not be looked at

    def opened(self):
        self.app = frame.wait_for(self._find_app, "the application on the bus", PATIENCE)
        return self

    def _find_app(self):
        if not self.running():
            raise AssertionError(f"the program ended with {self.child.returncode}:\n{self.stderr}")
        try:
            for app in desktop().accessibility.applications():
                if self._is_mine(app) and app.count_children() > 0:
                    return app
        except GLib.Error:
            pass
        return None

    def _is_mine(self, app):
        return app.bus.process_id(app.owner) == self.pid

    def fail(self, what):
        raise AssertionError(f"not seen: {what}")  # report() adds what is seen

    def find(self, role, name=None, test=None):
        """The first node of @role whose name contains @name. (GTK 4.8 doubles the names of buttons,
        so names are never compared whole.)"""
        for node in nodes(self.app):
            if role and role_of(node) != role:
                continue
            if name is not None and name not in node.name:
                continue
            if test is None or test(node):
                return node
        return None

    def until(self, condition, what, patience=PATIENCE):
        def look():
            if not self.running():
                raise AssertionError(f"the program ended with {self.child.returncode} while "
                                     f"waiting for {what}:\n{self.stderr[-3000:]}")
            try:
                return condition()
            except GLib.Error as error:
                self.trouble = error  # the node went away while it was looked at
                return None
        end = time.monotonic() + patience
        while True:
            began = time.monotonic()
            value = look()
            if value:
                return value
            looked = time.monotonic()
            if looked > end:
                self.fail(what)
            # The program has as long for its own work as it has for answers.
            time.sleep(max(0.05, looked - began))

    def wait(self, patience=PATIENCE):
        return super().wait(patience)

    def named(self, name, node):
        return name in name_of(node)

    def wait_node(self, role, name=None, test=None):
        return self.until(lambda: self.find(role, name, test), f"{role} {name!r}")

    def wait_button(self, name):
        return self.wait_node("push button", name,
                              lambda node: has_state(node, StateType.SENSITIVE))

    def press(self, name):
        self.wait_button(name).act()

    def retry_now(self, banner):
        """Presses Retry Now, unless what the @banner complains of has mended itself before."""
        def look():
            if not self.says(banner):
                return True
            button = self.find("push button", "Retry Now",
                               lambda node: has_state(node, StateType.SENSITIVE))
            return button is not None and button.act()
        self.until(look, f"Retry Now, or the end of {banner!r}")

    def press_menu(self, *names):
        """Goes through an open menu, one name a level."""
        for name in names:
            item = self.wait_node(None, name, lambda node: role_of(node) in (
                "menu item", "check menu item", "radio menu item", "push button")
                and has_state(node, StateType.SENSITIVE))
            item.act()

    def choose(self, name):
        """Activates an item of the menu that is open."""
        self.until(lambda: self.find("menu item", name) or self.find("check menu item", name),
                       f"the menu item {name!r}").act()

    def composer(self):
        return self.wait_node("text", None,
                              lambda node: name_of(node) in ("Task", "任务")
                              and has_state(node, StateType.EDITABLE))

    def entry(self, name):
        """The text field of that name; in a search field it is inside what has the name."""
        def look():
            for node in nodes(self.app):
                if name in node.name and role_of(node) in ("text", "entry"):
                    for inner in nodes(node):
                        if has_state(inner, StateType.EDITABLE):
                            return inner
            return None
        return self.until(look, f"the field {name!r}")

    def set_entry(self, name, text):
        self.entry(name).set_text(text)

    def type_task(self, text):
        self.composer().set_text(text)

    def typed(self):
        return text_of(self.composer())

    def wait_typed(self, text):
        self.until(lambda: self.typed() == text, f"{text[:80]!r} in the composer")

    def run_task(self, text):
        self.type_task(text)
        self.press("_Run")

    def run_lines(self, *tasks):
        """Runs @tasks that come at once, as pasted lines."""
        self.type_task("\n".join(tasks))
        self.wait_words(f"{len(tasks)} lines pasted")
        # The question above the field may say “Run as … Tasks” already.
        run = self.wait_node("push button", "_Run", lambda node: "as" not in name_of(node).split()
                             and has_state(node, StateType.SENSITIVE))
        run.act()
        self.press(f"_Run as {len(tasks)} Tasks")

    def toggle(self, name):
        self.click(self.wait_node("check box", name))

    def open_choice(self):
        """The list of providers and models."""
        self.click(self.wait_button("Provider and model"))
        self.wait_node("list", "Providers and models")

    def activate_choice(self, name):
        """Goes to a row of that list by keys, and takes it."""
        def here():
            item = self.find("list item", name)
            return item is not None and item.had_state(StateType.FOCUSED)
        def focused():
            return [node.name for node in nodes(self.app)
                    if role_of(node) == "list item" and node.had_state(StateType.FOCUSED)]
        self.wait_node("list item", name)
        for _ in range(40):
            before = focused()
            if here():
                break
            # The focus is where it is: the list is a window of its own to the server.
            xdotool("key", "Down")
            end = time.monotonic() + 5
            while focused() == before and time.monotonic() < end:
                time.sleep(0.05)
        else:
            self.fail(f"the focus on {name!r}")
        xdotool("key", "Return")

    def rows(self):
        return [node for node in nodes(self.app)
                if role_of(node) == "table row" and node.name not in ("", "GtkListItemWidget")]

    def row_names(self):
        return [row.name for row in self.rows()]

    def wait_row(self, *parts):
        """The row whose name has all @parts."""
        def look():
            for row in self.rows():
                if all(part in row.name for part in parts):
                    return row
            return None
        return self.until(look, f"a row with {parts}")

    def selected(self):
        """The contents of the selected rows."""
        return [row.name.split(",")[0] for row in self.rows()
                if row.had_state(StateType.SELECTED)]

    def pick(self, *parts):
        """Selects the row that has all @parts, and nothing else."""
        def chosen():
            names = [row.name for row in self.rows() if row.had_state(StateType.SELECTED)]
            return len(names) == 1 and all(part in names[0] for part in parts)
        self.click_until(lambda: self.wait_row(*parts), chosen, f"the row with {parts} selected")

    def wait_rows(self, many):
        self.until(lambda: len(self.row_names()) == many, f"{many} rows")

    def words(self):
        found = [node for node in nodes(self.app) if role_of(node) in WORDS]
        return [text or node.name for node, text in zip(found, accessible.texts(found))]

    def says(self, part):
        return any(part in words for words in self.words())

    def wait_words(self, *parts, patience=PATIENCE):
        for part in parts:
            self.until(lambda p=part: self.says(p), f"the words {part!r}", patience)

    def result_parts(self):
        """The texts of the shown result, prose and code apart, as they stand on the screen."""
        return [text_of(node) or node.name for node in nodes(self.app)
                if role_of(node) in ("text", "label") and node.description == "Result text"]

    def result(self):
        return "\n".join(self.until(self.result_parts, "a result"))

    def wait_result(self, text):
        self.until(lambda: "\n".join(self.result_parts()) == text, f"the result {text[:80]!r}")

    def dump(self):
        """What a screen reader would find: all that has a name, a text or the focus, and where."""
        lines = []
        marks = ((StateType.FOCUSED, "focused"), (StateType.SELECTED, "selected"),
                 (StateType.CHECKED, "checked"), (StateType.PRESSED, "pressed"))

        def extents(node):
            try:
                at = node.get_extents()
                return f"{at.width}x{at.height}+{at.x}+{at.y}"
            except GLib.Error:
                return "nowhere"

        def walk(node, depth):
            states = [word for state, word in marks if node.had_state(state)]
            text = text_of(node)
            if states or text or (node.name and not node.name.startswith("Gtk")):
                if not node.had_state(StateType.SENSITIVE):
                    states.append("insensitive")
                lines.append(f"{'  ' * depth}{role_of(node)} {node.name!r} {text[:80]!r} "
                             f"{' '.join(states)} {extents(node)}")
                depth += 1
            for child in node.children[:60]:
                walk(child, depth)
        try:
            if self.app is not None and self.running():
                walk(nodes(self.app)[0], 0)
        except GLib.Error as error:
            lines.append(str(error))
        return "\n".join(lines)

    def window_id(self):
        def look():
            found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.pid)],
                                   capture_output=True, text=True, check=False).stdout.split()
            return found[-1] if found else None
        return self.until(look, "a window on the screen")

    def _focus(self):
        # Without a window manager nobody else gives the focus.
        subprocess.run(["xdotool", "windowfocus", "--sync", self.window_id()], check=False,
                       capture_output=True)

    def key(self, *keys):
        self._focus()
        subprocess.run(["xdotool", "mousemove", "200", "12", "key", "--clearmodifiers", *keys],
                       check=True, capture_output=True)

    def keys(self, text):
        """Types @text by keys into what has the focus."""
        self._focus()
        subprocess.run(["xdotool", "mousemove", "200", "12", "type", "--clearmodifiers", text],
                       check=True, capture_output=True)

    def type_keys(self, *keys):
        """Keys to what has the focus, with the pointer left where it is."""
        subprocess.run(["xdotool", "key", "--clearmodifiers", *keys], check=True,
                       capture_output=True)

    def open_menu(self, node, *verbs):
        """Opens the menu of @node and takes @verbs in it."""
        # The one before goes first: a click while it is open does nothing but close it.
        if self.find("menu item", verbs[0]):
            self.type_keys("Escape")
        self.until(lambda: not self.find("menu item", verbs[0]), "no menu")
        self.click_until(node, lambda: self.find("menu item", verbs[0])
                         or self.find("check menu item", verbs[0]), f"the verb {verbs[0]!r}", "3")
        self.press_menu(*verbs)

    def place(self, node):
        """Where the middle of @node is, once it stays there; a function gives it anew each time."""
        def extents():
            one = node() if callable(node) else node
            at = one and one.get_extents()
            return (at.x, at.y, at.width, at.height) if at and at.width and at.height else None

        def settled():
            first = extents()
            if first is None:
                return None
            time.sleep(0.06)  # some frames
            return first if extents() == first else None
        x, y, width, height = self.until(settled, "a place on the screen that stays")
        return str(x + width // 2), str(y + height // 2)

    def click(self, node, button="1"):
        x, y = self.place(node)
        self._focus()
        subprocess.run(["xdotool", "mousemove", x, y, "click", button], check=True,
                       capture_output=True)

    def click_holding(self, key, node):
        """Clicks @node while @key is held, as Control is."""
        x, y = self.place(node)
        self._focus()
        subprocess.run(["xdotool", "mousemove", x, y, "keydown", key, "click", "1", "keyup", key],
                       check=True, capture_output=True)

    def click_until(self, node, condition, what, button="1"):
        """Clicks until @condition holds: a click while a menu is on its way out only closes that.
        Only after a while, since one that is still on its way would be done as well."""
        end = time.monotonic() + PATIENCE
        while True:
            self.click(node, button)
            again = time.monotonic() + 15
            while time.monotonic() < again:
                try:
                    value = condition()
                except GLib.Error as error:
                    self.trouble, value = error, None
                if value:
                    return value
                time.sleep(0.05)
            if time.monotonic() > end or not self.running():
                self.fail(what)

    def shot(self, path):
        subprocess.run(["import", "-window", self.window_id(), path], check=True)


class Case(frame.Case):
    """A case that opens windows."""

    def report(self):
        lines = [super().report()]
        for process in self.processes:
            if isinstance(process, Window):
                lines.append(f"== the window {process.pid}; focus {xdotool('getwindowfocus')}, "
                             f"pointer {xdotool('getmouselocation')}, trouble {process.trouble}")
                lines.append(process.dump())
        if "GW_TEST_SHOTS" in os.environ:
            # A folder for pictures of what failed.
            subprocess.run(["import", "-window", "root", os.path.join(
                os.environ["GW_TEST_SHOTS"], f"{self.id()}-{os.getpid()}.png")], check=False)
        return "\n".join(lines)

    def open(self, *arguments, config=None, env=None):
        if config is not None:
            self.home.configure(config)
        return self.keep(Window(self.home, arguments, env)).opened()

    def lanes(self, mock, workers="", **lanes):
        """As of the frame, but a call that is to last does so however slow the machine is."""
        for keys in lanes.values():
            keys.setdefault("timeout-seconds", 900)
        return super().lanes(mock, workers, **lanes)

    def prefer(self, **values):
        """Writes settings, as the preferences do, also while the window runs."""
        lines = "".join(f"{key.replace('_', '-')}={value}\n" for key, value in values.items())
        path = self.home.file("config/glib-2.0/settings/keyfile")
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write("[io/github/gangway/Gangway]\n" + lines)
        os.replace(path + ".new", path)

    def clipboard(self, text):
        """Another program that holds @text for pasting."""
        owner = subprocess.Popen(["xclip", "-selection", "clipboard", "-quiet", "-in"],
                                 env={**os.environ, "DISPLAY": desktop().display},
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        owner.stdin.write(text.encode())
        owner.stdin.close()
        self.addCleanup(owner.wait)
        self.addCleanup(owner.kill)
        frame.wait_for(lambda: subprocess.run(
            ["xclip", "-selection", "clipboard", "-out"], capture_output=True, check=False,
            timeout=5).stdout == text.encode(), "the clipboard")

    def drag_files(self, window, *files, to=(480, 300), drop=True, text=None):
        """Drags @files, or a @text, out of another program's window onto @window; without @drop the
        button is held until xdotool lets it go."""
        arguments = ["--text", text] if text is not None else list(files)
        source = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(HERE, "drag_source.py"), *arguments],
            env={**window.env, "G_DEBUG": ""}, name="drag source"))
        source.wait_line("ready")
        frame.wait_for(lambda: xdotool("search", "--onlyvisible", "--pid", str(source.pid)),
                       "the source's window")
        other = xdotool("search", "--onlyvisible", "--pid", str(source.pid)).split()[-1]
        xdotool("windowmove", "--sync", other, "1040", "60")
        self.addCleanup(xdotool, "mouseup", "1")
        x, y = to
        for _ in range(20):
            # One jump would be no drag, and a window that is not drawn yet sees none.
            xdotool("mousemove", "1140", "140", "mousedown", "1")
            for step in range(1, 6):
                time.sleep(0.1)
                xdotool("mousemove", str(1140 - 8 * step), str(140 + 4 * step))
            if "dragging" in source.stdout:
                break
            xdotool("mouseup", "1")
        source.wait_line("dragging")
        for step in range(1, 9):
            time.sleep(0.05)
            xdotool("mousemove", str(1100 + (x - 1100) * step // 8),
                    str(160 + (y - 160) * step // 8))
        if drop:
            source.wait_line("accepted")
            xdotool("mouseup", "1")

    def start_again(self, *arguments, env=None):
        """A second start while one runs: hands over and ends."""
        process = self.keep(Window(self.home, arguments, env))
        return process.wait()

    def _clean_up(self):
        said = []
        for process in self.processes:
            if isinstance(process, Window):
                if process.running():
                    process.child.send_signal(signal.SIGTERM)
                    try:
                        process.child.wait(PATIENCE)
                    except subprocess.TimeoutExpired:
                        said.append(f"the window has not ended {PATIENCE:g} s after SIGTERM")
                    if process.child.returncode not in (0, None):
                        said.append(f"the window ended with {process.child.returncode}: "
                                    + process.stderr[-2000:])
                for line in process.stderr.splitlines():
                    if TOOLKIT_SAID.search(line) and not (
                            process.ALLOWED and re.search(process.ALLOWED, line)):
                        said.append(line)
        super()._clean_up()
        self.assertEqual(said, [])


def main():
    import atexit
    atexit.register(lambda: DESKTOP and DESKTOP.stop())
    frame.main()
