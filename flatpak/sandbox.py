# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the installed app in its real sandbox: a display, a session bus with the portals, a keyring
and a back end that shows nothing, and windows that are `flatpak run`. Stands on the frames of the
integration and display tests. flatpak/test names what it has built in GW_FLATPAK_BUILT, and makes
the private /run/user that portals and sandboxes meet in."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "display"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "integration"))
import toolkit  # noqa: E402,F401  the runtime's is newer than this system's
import desktop  # noqa: E402
import frame  # noqa: E402

from gi.repository import Gio, GLib  # noqa: E402

APP = "io.github.gangway.Gangway"
PLACE = os.environ["GW_FLATPAK_BUILT"]  # what flatpak/test has built
SHOTS = os.environ["GW_FLATPAK_SHOTS"]
LIBEXEC = "/usr/libexec"
INSTALLATION = {name: os.environ[name] for name in ("FLATPAK_SYSTEM_DIR", "FLATPAK_USER_DIR")}
# What desktops find of the installed app.
EXPORTS = os.path.join(INSTALLATION["FLATPAK_USER_DIR"], "exports", "share")
INSIDE = {"G_DEBUG": "fatal-criticals", "GSK_RENDERER": "cairo", "GTK_A11Y": "atspi",
          "LC_ALL": "C.UTF-8"}
# The permissions of the manifest, and how `flatpak run` takes each away.
WITHOUT = {"wayland": ["--nosocket=wayland"],
           "x11": ["--nosocket=fallback-x11", "--nosocket=x11"],
           "ipc": ["--unshare=ipc"], "dri": ["--nodevice=dri"], "network": ["--unshare=network"]}


class Session(desktop.Desktop):
    """A desktop whose bus has portals, keyring and document store."""

    def __init__(self):
        self.run = f"/run/user/{os.getuid()}"
        os.makedirs(self.run, 0o700, exist_ok=True)
        self.home = frame.Home()
        # On its bus nothing comes to be by being called: what is not there in a test stays away.
        super().__init__(folder=self.run)
        self.env = {**self.home.env, **INSTALLATION, "DISPLAY": self.display,
                    "XDG_RUNTIME_DIR": self.run, "XDG_CURRENT_DESKTOP": "GNOME",
                    "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
                    "XDG_DESKTOP_PORTAL_DIR": self.home.file("portals")}
        self.bus_connection = Gio.DBusConnection.new_for_address_sync(
            self.env["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        os.mkdir(self.home.file("portals"))
        shutil.copy("/usr/share/xdg-desktop-portal/portals/gnome-keyring.portal",
                    self.home.file("portals"))
        self.home.file("portals/test.portal",
                       "[portal]\nDBusName=org.freedesktop.impl.portal.desktop.gangway_test\n"
                       "Interfaces=org.freedesktop.impl.portal.Notification;"
                       "org.freedesktop.impl.portal.FileChooser;"
                       "org.freedesktop.impl.portal.Inhibit;"
                       "org.freedesktop.impl.portal.Settings;\nUseIn=gnome\n")
        self.services = []
        self.portals = None
        self.start([os.path.join(LIBEXEC, "flatpak-portal")], "org.freedesktop.portal.Flatpak")
        self.mock = self.start([frame.PYTHON, os.path.join(HERE, "mock_portal.py")])
        self.mock.wait_line("ready")
        self.start([os.path.join(LIBEXEC, "xdg-permission-store")],
                   "org.freedesktop.impl.portal.PermissionStore")
        self.start([os.path.join(LIBEXEC, "xdg-document-portal")],
                   "org.freedesktop.portal.Documents")
        self.start(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                   "org.freedesktop.secrets", stdin=b"password")
        self.start_portals()

    def start(self, arguments, name=None, stdin=None):
        process = frame.Process(arguments, env=self.env, cwd=self.home.path, stdin=stdin)
        self.services.append(process)
        if name is not None:
            frame.wait_for(lambda: self.owned(name), f"{name} on the bus")
        return process

    def start_portals(self):
        self.portals = self.start([os.path.join(LIBEXEC, "xdg-desktop-portal"), "-v"],
                                  "org.freedesktop.portal.Desktop")

    def stop_portals(self):
        self.portals.terminate()
        frame.wait_for(lambda: not self.owned("org.freedesktop.portal.Desktop"),
                       "the end of the portals")

    def call(self, name, path, interface, method, parameters):
        return self.bus_connection.call_sync(name, path, interface, method, parameters, None,
                                             Gio.DBusCallFlags.NONE, 20000, None)

    def install_service(self, name, env):
        """A service that the bus starts when it is called, in the environment @env, as one that is
        installed is; returns how to take it away again."""
        place = os.path.join(self.folder, "services", f"{name}.service")
        shutil.copy(os.path.join(EXPORTS, "dbus-1", "services", f"{name}.service"), place)
        self.call_bus("ReloadConfig")
        self.call_bus("UpdateActivationEnvironment", GLib.Variant("(a{ss})", (env,)))

        def remove():
            os.remove(place)
            self.call_bus("ReloadConfig")
        return remove

    def call_bus(self, method, parameters=None):
        return self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         method, parameters)

    def owned(self, name):
        return self.call_bus("NameHasOwner", GLib.Variant("(s)", (name,))).unpack()[0]

    def choose(self, path):
        """What the next file chooser is answered with."""
        self.call("org.freedesktop.impl.portal.desktop.gangway_test",
                  "/org/freedesktop/portal/desktop", "test.Control", "Choose",
                  GLib.Variant("(s)", (path,)))

    def stop(self):
        for process in reversed(self.services):
            if process.running():
                process.terminate()
            process.finish()
        self.home.remove()
        super().stop()
        # It was there before, and Flatpak works in it: who comes next needs it.
        os.makedirs(self.run, 0o700, exist_ok=True)


def session():
    if desktop.DESKTOP is None:
        desktop.DESKTOP = Session()
    return desktop.DESKTOP


def flatpak(*arguments, env=None, check=True):
    """The output of a flatpak command."""
    done = subprocess.run(["flatpak", *arguments],
                          env={**os.environ, **INSTALLATION, **(env or {})},
                          capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"flatpak {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done.stdout


class SandboxHome(frame.Home):
    """An empty home. The app sees of it what flatpak makes for it below .var/app."""

    def __init__(self):
        super().__init__()
        for name in ("config", "data", "state", "cache", "runtime"):
            os.rmdir(os.path.join(self.path, name))
        place = session()
        self.env = {name: value for name, value in self.env.items()
                    if not name.startswith(("XDG_", "GSETTINGS_", "GIO_", "TMPDIR"))}
        self.env.update({**INSTALLATION, "XDG_RUNTIME_DIR": place.run, "DISPLAY": place.display,
                         "DBUS_SESSION_BUS_ADDRESS": place.env["DBUS_SESSION_BUS_ADDRESS"],
                         "XDG_CURRENT_DESKTOP": "GNOME"})
        # The system bus is not this machine's: nothing of it is needed.
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = self.env["DBUS_SESSION_BUS_ADDRESS"]

    def app(self, name=""):
        return os.path.join(self.path, ".var", "app", APP, name)

    @property
    def data(self):
        return self.app("data/gangway")

    def configure(self, text):
        return self.file(f".var/app/{APP}/config/gangway/gangway.conf", text)


class Window(desktop.Window):
    """The window of `flatpak run`."""

    # What is taken away here is missed aloud.
    ALLOWED = r"Gtk: Failed to open display"
    ID = APP

    def __init__(self, home, arguments=(), options=(), env=None):
        self.env = {**home.env, **(env or {})}
        frame.Process.__init__(self, self.command(arguments, options), env=self.env,
                               cwd=home.path, name="gangway")
        self.app = None
        self.trouble = None

    def command(self, arguments, options):
        return ["flatpak", "run", *(f"--env={name}={value}" for name, value in INSIDE.items()),
                *options, self.ID, *arguments]

    def _is_mine(self, app):
        # The process on that bus is a filter of Flatpak's, not the program.
        return "gangway" in desktop.name_of(app).lower()

    def inner_pids(self):
        """The app's own processes, as this system counts them."""
        return [pid for pid in self.members() if self._program(pid) == "gangway"]

    @staticmethod
    def _program(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
                return file.read().strip()
        except OSError:
            return ""

    def window_id(self):
        def look():
            found = desktop.xdotool("search", "--onlyvisible", "--class", "gangway").split()
            return found[-1] if found else None
        return self.until(look, "a window on the screen")

    def ask(self, signal_name="TERM"):
        """A signal to the app itself."""
        for pid in self.inner_pids():
            subprocess.run(["kill", f"-{signal_name}", str(pid)], check=False)

    def shot(self, name):
        """The whole screen, under @name in the folder of pictures."""
        path = os.path.join(SHOTS, f"{name}.png")
        subprocess.run(["import", "-display", session().display, "-window", "root", path],
                       check=True)
        return path


class Launched(Window):
    """The window that comes when the exported launcher is opened, which the bus starts: it is no
    child of this process, which only waits."""

    def command(self, arguments, options):
        launcher = os.path.join(EXPORTS, "applications", f"{APP}.desktop")
        wait = 'trap "exit 0" TERM; gio launch "$@" && while sleep 0.1; do :; done'
        return ["sh", "-c", wait, "gio", launcher, *arguments]

    def end(self):
        self.key("Escape")
        self.until(lambda: not self.find("frame", "Import Tasks"), "the end of the dialog")
        self.key("ctrl+q")
        frame.wait_for(lambda: not session().owned(APP), "the end of the app")
        self.terminate()
