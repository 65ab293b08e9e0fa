#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the timeline, and what a run does to the desktop: notifications, staying awake,
the task bar, and what happens when all has ended."""

import json
import os

import desktop
import frame
from gi.repository import Gio, GLib

SETTINGS = "config/glib-2.0/settings/keyfile"


def mark(text, **what):
    return f"{text} [[mock {json.dumps(what)}]]"


class Timeline(desktop.Case):
    def picture(self, window):
        return window.wait_node("image", "per min")

    def test_the_timeline_goes_with_the_list(self):
        mock = self.mock(providers={"quick": {"latency": 0.2}})
        window = self.open(config=self.lanes(mock, quick={"max-concurrency": 1}),
                           env={"GANGWAY_LOG_LEVEL": "debug"})
        window.type_task("first\nsecond\nthird")
        window.press("Add as 3 Tasks")
        window.press("_Run 3")
        window.wait_row("third", "Completed")
        self.assertNotIn("drawn:", window.stderr, "nothing is drawn while it is hidden")

        window.key("F9")
        picture = self.picture(window)
        window.wait_node("status bar", "low confidence: 3 samples")
        window.until(lambda: "drawn: 3 calls" in window.stderr, "the calls drawn")

        # The pointer gives it the keys; they choose calls, and the list follows.
        window.click(picture)
        window.key("End")
        window.until(lambda: window.result() == "answer to: third", "the newest call's task")
        window.key("Left")
        window.until(lambda: window.result() == "answer to: second", "the one before")
        # The list chooses, and the keys go on from there.
        window.pick("first", "Completed")
        window.until(lambda: window.result() == "answer to: first", "the row that was clicked")
        window.click(picture)
        window.key("Right")
        window.until(lambda: window.result() == "answer to: second", "the one after")

        # The same as a table.
        window.press("Show as a Table")
        window.wait_node("table row", "third, quick, Answered")
        window.click_until(lambda: window.wait_node("table row", "third, quick, Answered"),
                           lambda: "answer to: third" in window.result_parts(),
                           "the task of the call that was clicked")

        # Hidden again, it draws no more, whatever runs; and that is remembered.
        window.key("F9")
        path = os.path.join(self.home.path, SETTINGS)
        frame.wait_for(lambda: "timeline-visible=false" in open(path, encoding="utf-8").read(),
                       "the setting")
        drawn = window.stderr.count("drawn:")
        window.run_task("fourth")
        window.wait_row("fourth", "Completed")
        self.assertEqual(window.stderr.count("drawn:"), drawn)

    def test_a_basic_gateway_has_no_timeline(self):
        gateway = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "minimal_gateway.py"), "8000"],
            env=self.home.env, name="minimal gateway"))
        gateway.wait_line(r"listening on (\S+)")
        self.prefer(timeline_visible="true")
        window = self.open()
        window.wait_words("This gateway does not tell which calls it makes")


class Run(desktop.Case):
    def open_desktop(self):
        """The services first: the window looks for them as it starts."""
        place = desktop.desktop()
        self.services = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(desktop.HERE, "desktop_services.py")],
            env={**self.home.env, "DBUS_SESSION_BUS_ADDRESS":
                 os.environ["DBUS_SESSION_BUS_ADDRESS"], "XDG_RUNTIME_DIR": place.folder},
            name="desktop services"))
        self.services.wait_line("ready")
        return {"DBUS_SYSTEM_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"]}

    def look_away(self, window):
        """Another program's window has the keys."""
        other = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(desktop.HERE, "drag_source.py"),
             self.home.file("other.txt", "other\n")],
            env={**window.env, "G_DEBUG": ""}, name="another window"))
        other.wait_line("ready")
        found = frame.wait_for(lambda: desktop.xdotool("search", "--onlyvisible", "--pid",
                                                       str(other.pid)), "the other window")
        desktop.xdotool("windowmove", found.split()[-1], "1040", "60")
        desktop.xdotool("windowfocus", "--sync", found.split()[-1])
        window.until(lambda: not desktop.has_state(window.find("frame", "Gangway"),
                                                   desktop.StateType.ACTIVE),
                     "the window not being the active one")

    def calls(self, name):
        found = [json.loads(line) for line in self.services.stdout.splitlines()]
        return [call[1:] for call in found if call[0] == name]

    def wait_call(self, name, test=lambda *values: True):
        return frame.wait_for(
            lambda: next((call for call in self.calls(name) if test(*call)), None), name)

    def press_notification(self, number, action):
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        bus.call_sync(bus.get_unique_name() and self.owner(bus), "/test", "test.Control", "Press",
                      GLib.Variant("(us)", (number, action)), None, Gio.DBusCallFlags.NONE, 5000)

    @staticmethod
    def owner(bus):
        return bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner",
                             GLib.Variant("(s)", ("org.freedesktop.Notifications",)), None,
                             Gio.DBusCallFlags.NONE, 5000).unpack()[0]

    def test_the_end_of_a_run_is_told_and_opens_what_failed(self):
        env = self.open_desktop()
        mock = self.mock(providers={"quick": {"latency": 0.5}})
        window = self.open(config=self.lanes(mock, quick={"max-concurrency": 1}), env=env)
        window.type_task("good\n" + mark("bad", do="refused"))
        window.press("Add as 2 Tasks")
        self.look_away(window)
        window.press("_Run 2")
        self.wait_call("Inhibit", lambda why, flags: why == "Tasks are running" and flags == 4)
        self.wait_call("Update", lambda uri, values: values["progress-visible"])
        window.wait_words("1 completed, 1 failed")
        number, title, body, actions = self.wait_call("Notify")
        self.assertEqual((title, body), ("Batch Finished", "1 completed, 1 failed"))
        self.assertIn("Save Results", actions)
        # Exactly as long as it ran.
        self.wait_call("Uninhibit")
        self.assertEqual(len(self.calls("Inhibit")), len(self.calls("Uninhibit")))
        self.assertFalse(self.calls("Update")[-1][1]["progress-visible"])
        window.wait_words("1 completed, 1 failed")

        self.press_notification(number, "default")
        window.until(lambda: [name for name in window.row_names() if "bad" in name]
                     and not [name for name in window.row_names() if "good" in name],
                     "only what failed")

    def test_when_all_fail_the_rest_is_paused(self):
        env = self.open_desktop()
        mock = self.mock(providers={"quick": {"latency": 0.1}})
        tasks = [mark(f"t{i}", do="refused") for i in range(30)]
        window = self.open(config=self.lanes(mock, quick={"max-concurrency": 1,
                                                              "requests-per-minute": 12}), env=env)
        window.type_task("\n".join(tasks))
        window.press("Add as 30 Tasks")
        self.look_away(window)
        window.press("_Run 30")
        _, title, body, actions = self.wait_call("Notify", lambda *call: call[1] == "Tasks Paused")
        self.assertIn("Preferences", actions)
        self.assertIn("declined", body)
        window.wait_words("Queue paused")
        # What has not been sent stays as it is.
        row = window.wait_row("t29")
        self.assertTrue(any(word in desktop.name_of(row) for word in ("Queued", "Waiting")),
                        desktop.name_of(row))

    def test_the_computer_is_suspended_after_the_run_unless_that_is_cancelled(self):
        env = self.open_desktop()
        self.prefer(when_finished="'suspend'")
        window = self.open(env={**env, "GANGWAY_TEST_FINISH_SECONDS": "5"})
        window.wait_words("Built-in gateway")
        window.run_task("once")
        window.wait_words("The computer is suspended in")
        window.press("_Cancel")
        window.until(lambda: not window.says("The computer is suspended in"), "the toast to go")
        self.assertEqual(self.calls("Suspend"), [])
        # That was this once: the next run does nothing.
        path = os.path.join(self.home.path, SETTINGS)
        frame.wait_for(lambda: "when-finished='nothing'" in open(path, encoding="utf-8").read(),
                       "the setting")
        self.prefer(when_finished="'suspend'")
        window.run_task("twice")
        self.assertEqual(self.wait_call("Suspend"), [False])

    def test_quit_when_finished_and_a_system_that_cannot_suspend(self):
        self.prefer(when_finished="'suspend'")
        window = self.open(env={"GANGWAY_TEST_FINISH_SECONDS": "1",
                                "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"})
        window.wait_words("Built-in gateway")
        window.run_task("once")
        window.wait_words("Not suspended: this system does not let programs do that")
        self.prefer(when_finished="'quit'")
        window.run_task("twice")
        self.assertEqual(window.wait(), 0)


if __name__ == "__main__":
    desktop.main()
