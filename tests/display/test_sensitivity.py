#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done, and what cannot: each verb of the menus in each state of what is selected, against
one table; and what those keys do that no other journey presses."""

import os
import time
import xml.etree.ElementTree as ET

import desktop
from fake_gateway import FakeGateway

SENSITIVE = desktop.StateType.SENSITIVE
ROLES = ("menu item", "check menu item", "radio menu item")

# Each verb of the menus, and where it can be taken: with n(othing) there at all; with a q(ueued),
# r(unning), f(ailed) or c(ompleted) task selected; with a queued one whose p(roject) is paused; with a
# queued one while the gateway is a(way).
TABLE = {
    ("primary_menu", "win.search"): "qrfcpa",
    ("primary_menu", "win.sort::none"): "qrfcpa",
    ("primary_menu", "win.sort::status"): "qrfcpa",
    ("primary_menu", "win.sort::model"): "qrfcpa",
    ("primary_menu", "win.sort::time"): "qrfcpa",
    ("primary_menu", "win.follow"): "qrfcpa",
    ("primary_menu", "win.undo"): "",
    ("primary_menu", "win.redo"): "",
    ("primary_menu", "win.retry-failed"): "qrfcp",
    ("primary_menu", "win.pause"): "qrfcp",
    ("primary_menu", "win.stop-all"): "qrfc",
    ("primary_menu", "win.copy-address"): "nqrfcpa",
    ("primary_menu", "win.save::all"): "qrfcpa",
    ("primary_menu", "win.timeline"): "nqrfcpa",
    ("primary_menu", "win.preferences"): "nqrfcpa",
    ("primary_menu", "win.show-help-overlay"): "nqrfcpa",
    ("primary_menu", "win.help"): "nqrfcpa",
    ("primary_menu", "app.about"): "nqrfcpa",
    ("task_menu", "win.open"): "qrfcpa",
    ("task_menu", "win.retry"): "f",
    ("task_menu", "win.cancel"): "qrp",
    ("task_menu", "win.move-to-top"): "qp",
    ("task_menu", "win.move-to-bottom"): "qp",
    ("task_menu", "win.stop-after"): "qr",
    ("task_menu", "win.copy-result"): "c",
    ("task_menu", "win.copy-task"): "qrfcpa",
    ("task_menu", "win.copy-both"): "qrfcpa",
    ("task_menu", "win.save-selection"): "qrfcpa",
    ("task_menu", "win.select-all"): "qrfcpa",
    ("task_menu", "win.select-none"): "qrfcpa",
    ("task_menu", "win.remove"): "qfcp",
    ("project_menu", "win.rename-project"): "qrfcp",
    ("project_menu", "win.save-project"): "qrfcpa",
    ("project_menu", "win.pause-project"): "qrfc",
    ("project_menu", "win.resume-project"): "p",
    ("project_menu", "win.stop-project"): "qrfcp",
    ("project_menu", "win.project-one-at-a-time"): "qrfcp",
    ("project_menu", "win.token-limit"): "qrfcp",
    ("project_menu", "win.remove-project"): "qrfcp",
}

# Whose words follow what they would do.
SAYS = {"win.retry-failed": ("Retry 1 Failed", "Retry All Failed"),
        "win.pause": ("Pause the Queue", "Resume the Queue")}


def called(item):
    """The words of an item of a menu, or of what holds more of them."""
    return next(node.text.replace("_", "") for node in item.findall("attribute")
                if node.get("name") == "label")


def items_of(file, menu):
    """(verb, what it may be called, what it is under or None) of each item of a menu."""
    root = ET.parse(os.path.join(desktop.HERE, "..", "..", "data", "ui", file))
    top = root.find(f".//menu[@id='{menu}']")
    under = {item: called(submenu) for submenu in top.iter("submenu")
             for item in submenu.iter("item")}
    for item in top.iter("item"):
        values = {node.get("name"): node.text for node in item.findall("attribute")}
        verb = values["action"] + ("::" + values["target"] if "target" in values else "")
        yield verb, SAYS.get(verb, (called(item),)), under.get(item)


class Sensitivity(desktop.Case):
    def open_four(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        project = gateway.add_project("Four", running=1, queued=1, completed=1, failed=1)
        gateway.add("completed", "completed", result="yes", ago=9, took=1, project=project)
        gateway.add("failed", "failed", ago=8, took=1, project=project,
                    error={"code": "timeout", "message": "no answer"})
        gateway.add("running", "running", ago=3, project=project)
        gateway.add("queued", project=project)
        return gateway, project

    def open_wide(self, gateway):
        self.prefer(window_width=1240)
        return self.open("--gateway", gateway.uri)

    def shown(self, window):
        return {node.name or desktop.name_of(node): node.had_state(SENSITIVE)
                for node in desktop.nodes(window.app) if desktop.role_of(node) in ROLES}

    def look(self, window, file, menu, opens):
        """Opens a menu and closes it again; says which of its verbs can be taken."""
        items = list(items_of(file, menu))
        first = items[0][1][0]
        opens(first)
        names = window.until(lambda: first in self.shown(window) and self.shown(window),
                             f"the menu {menu}")
        for _verb, (name, *_), under in items:
            # Newer versions of GTK tell of what is under another item once that is open.
            if under is not None and name not in names:
                window.press_menu(under)
                names.update(window.until(lambda n=name: n in self.shown(window)
                                          and self.shown(window), f"the menu {under}"))
        self.close_menu(window)
        found = {}
        for verb, called_so, _under in items:
            known = [names[name] for name in called_so if name in names]
            self.assertTrue(known, f"{verb} is not in {menu}: {sorted(names)}")
            found[menu, verb] = known[0]
        return found

    def close_menu(self, window):
        again = 0

        def closed():
            nonlocal again
            if not self.shown(window):
                return True
            # One that comes when the menu is on its way out would go to the window.
            if time.monotonic() > again:
                window.type_keys("Escape")
                again = time.monotonic() + 5
            return False
        window.until(closed, "no menu")

    def look_at_all(self, window, task=None):
        def of_row(_first):
            window.click(lambda: window.wait_row(task + ","), "3")

        def of_project(_first):
            window.click(lambda: next(node for node in desktop.nodes(window.app)
                                      if desktop.role_of(node) == "list item"
                                      and "Four" in desktop.name_of(node)), "3")
        found = self.look(window, "gw-window.ui", "primary_menu", lambda _first: window.key("F10"))
        if task is not None:
            found.update(self.look(window, "gw-menus.ui", "task_menu", of_row))
            found.update(self.look(window, "gw-sidebar.ui", "project_menu", of_project))
        return found

    def test_each_verb_in_each_state(self):
        seen = {}
        empty = FakeGateway().start()
        self.addCleanup(empty.stop)
        window = self.open_wide(empty)
        window.wait_words("Run Many Tasks")
        seen["n"] = self.look_at_all(window)
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)

        gateway, project = self.open_four()
        window = self.open_wide(gateway)
        window.wait_rows(4)
        for task in ("queued", "running", "failed", "completed"):
            window.pick(task + ",")
            seen[task[0]] = self.look_at_all(window, task)
        with gateway.changed:
            gateway.revision += 1
            gateway.projects[project].update(paused=True, revision=gateway.revision)
            gateway.changed.notify_all()
        window.pick("queued,")
        window.wait_words("Queue paused")
        seen["p"] = self.look_at_all(window, "queued")
        gateway.stop()
        window.wait_words("Can’t reach the gateway")
        seen["a"] = self.look_at_all(window, "queued")

        actual = {}
        for state, found in seen.items():
            for key, can in found.items():
                actual.setdefault(key, "")
                actual[key] += state if can else ""
        wrong = {key: (actual.get(key), TABLE.get(key)) for key in {*actual, *TABLE}
                 if actual.get(key) != TABLE.get(key)}
        self.assertEqual(wrong, {}, "verb: where it can be taken, where it should be")

    def test_f10_opens_the_menu_and_ctrl_w_closes_the_window(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("one", "completed", result="yes", ago=9, took=1)
        window = self.open("--gateway", gateway.uri)
        window.wait_rows(1)
        self.assertEqual(self.shown(window), {})
        window.key("F10")
        window.until(lambda: "Preferences" in self.shown(window), "the main menu")
        # The keys go to it: Enter takes the first item.
        window.type_keys("Return")
        window.until(lambda: any(node.had_state(desktop.StateType.FOCUSED)
                                 for node in desktop.nodes(window.find("entry", "Search tasks"))),
                     "the search")
        window.key("Escape")
        # Nothing is left to do: it closes at once, and nothing of it stays.
        window.key("ctrl+w")
        self.assertEqual(window.wait(), 0)


if __name__ == "__main__":
    desktop.main()
