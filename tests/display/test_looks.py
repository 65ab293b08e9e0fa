#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as not everybody has it: from right to left, dark, with high contrast, on a phone."""

import subprocess

import desktop
from desktop import name_of, nodes, role_of
from fake_gateway import FakeGateway

CONTROLS = ("push button", "toggle button", "check box", "radio button", "text", "entry",
            "combo box", "spin button")
WIDTH = 360


def is_result(node):
    return role_of(node) in ("text", "label") and desktop.description_of(node) == "Result text"


def place(node):
    """Where @node is in its window: left, top, right, bottom."""
    left, top, width, height = desktop.extents_of(node)
    return left, top, left + width, top + height


class Picture:
    """What is on the screen in the window, as lightness from 0 to 255."""

    def __init__(self, window):
        # Where the one before has left the pointer, a tooltip may come, a window of its own.
        desktop.xdotool("mousemove", "200", "12")
        data = subprocess.run(["import", "-window", window.window_id(), "-depth", "8", "gray:-"],
                              capture_output=True, check=True).stdout
        geometry = dict(line.split("=") for line in desktop.xdotool(
            "getwindowgeometry", "--shell", window.window_id()).splitlines())
        self.width = int(geometry["WIDTH"])
        self.lines = [data[i:i + self.width] for i in range(0, len(data), self.width)]
        self.height = len(self.lines)

    def darkest(self, left, top, right, bottom):
        return min(min(line[left:right]) for line in self.lines[top:bottom])

    def lightest_change(self, other, left, top, right, bottom):
        """The lightest of what is not as in the @other picture."""
        return max((now for mine, others in zip(self.lines[top:bottom], other.lines[top:bottom])
                    for now, then in zip(mine[left:right], others[left:right]) if now != then),
                   default=0)

    def usual(self, left, top, right, bottom):
        """What most of that part of the window is."""
        area = sorted(b"".join(line[left:right] for line in self.lines[top:bottom]))
        return area[len(area) // 2]


class Case(desktop.Case):
    def open_filled(self, width, height=700, **env):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        for name in ("Fruit", "Animals"):
            project = gateway.add_project(name, completed=1)
            gateway.add(f"ask of {name}", "completed", result=f"answer of {name}", ago=5, took=1,
                        project=project)
        gateway.add("asked in vain", "failed", ago=3, took=1,
                    error={"code": "server", "message": "HTTP 500"})
        self.home.file("config/glib-2.0/settings/keyfile",
                       f"[io/github/gangway/Gangway]\nwindow-width={width}\n"
                       f"window-height={height}\n")
        window = self.open("--gateway", gateway.uri, env=env)
        window.wait_row("asked in vain", "Failed")
        return gateway, window


class Looks(Case):
    def test_from_right_to_left(self):
        _gateway, window = self.open_filled(1240, GTK_DEBUG="invert-text-dir")
        project = window.wait_node("list item", "Fruit")
        window.pick("ask of Animals")
        window.wait_result("answer of Animals")
        detail = window.wait_node(None, None, is_result)
        row = window.wait_row("ask of Animals")
        # The projects at the right, the list in the middle, what is read at the left.
        self.assertGreaterEqual(place(project)[0], place(row)[2] - 1)
        self.assertLessEqual(place(detail)[2], place(row)[0] + 1)
        # The window does what it does elsewhere.
        window.type_task("from the right")
        run = window.wait_button("_Run")
        self.assertLess(place(run)[2], place(window.composer())[2] - 200)
        window.click(run)
        window.wait_row("from the right", "Queued")

    def test_dark(self):
        _gateway, window = self.open_filled(1000, ADW_DEBUG_COLOR_SCHEME="prefer-dark")
        window.pick("ask of Animals")
        window.wait_result("answer of Animals")
        picture = window.until(lambda: next(
            (one for one in [Picture(window)] if one.height >= 700 and one.usual(0, 0, 1000, 700) < 128),
            None), "a dark window")
        # The header, the list and what is read.
        for area in ((0, 0, 1000, 40), (20, 300, 400, 500), (640, 300, 900, 500)):
            self.assertLess(picture.usual(*area), 80, area)
        # And text can be told from it: another one differs in light letters.
        window.pick("ask of Fruit")
        window.wait_result("answer of Fruit")
        window.until(lambda: Picture(window).lightest_change(picture, 640, 150, 1000, 500) > 180,
                     "what is read, in light letters")

    def test_high_contrast(self):
        edges = []
        for env in ({}, {"ADW_DEBUG_HIGH_CONTRAST": "1"}):
            _gateway, window = self.open_filled(1000, **env)
            # Not of a tooltip that is on top; and where the header ends, between two buttons of
            # the list.
            picture = window.until(lambda w=window: next(
                (one for one in [Picture(w)] if one.height >= 700 and one.usual(0, 0, 1000, 40) > 128),
                None), "a light window")
            edges.append(picture.darkest(400, 40, 420, 60))
            window.key("ctrl+q")
            self.assertEqual(window.wait(), 0)
        self.assertLess(edges[1], edges[0] - 40, "a line that is easy to see")


class Phone(Case):
    def assert_inside(self, window, *names):
        """The controls @names are there, and nothing that can be used is out of sight."""
        def places():
            all_of_them = [(name_of(node), place(node)) for node in nodes(window.app)
                           if role_of(node) in CONTROLS]
            shown = [(name, at) for name, at in all_of_them if at[2] > at[0] and at[3] > at[1]]
            return shown if all(any(name in one for one, _at in shown) for name in names) else None
        for name, (left, _top, right, _bottom) in window.until(places, f"all of {names}"):
            self.assertGreaterEqual(left, 0, name)
            self.assertLessEqual(right, WIDTH, name)
        # Where it needed more, it would have got more.
        self.assertIn(f"Geometry: {WIDTH}x", desktop.xdotool("getwindowgeometry",
                                                             window.window_id()))

    def test_360_pixels(self):
        _gateway, window = self.open_filled(WIDTH, 640)
        self.assert_inside(window, "Main Menu", "Failed 1", "Provider and model", "Run")
        window.run_task("on the way")
        window.wait_row("on the way", "Queued")
        # What is read takes the place of the list.
        window.click_until(lambda: window.wait_row("on the way"),
                           lambda: window.find("push button", "Back to the List"), "its page")
        self.assert_inside(window, "Back to the List", "Cancel Task", "Copy Task", "Details")
        window.press("Back to the List")
        window.key("alt+4")
        window.wait_rows(2)
        self.assert_inside(window, "Completed 2", "Run")


if __name__ == "__main__":
    desktop.main()
