#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How GTK 4.18 names things on the accessibility bus otherwise than GTK 4.8, for which the journeys
of tests/display are written: buttons without the underscore of their key, check boxes of a group as
radio buttons, the heading of a table as one of its rows, and places on the screen without borders.
    toolkit.py TEST-FILE [ARGUMENT…]    runs such a file against the newer GTK"""

import os
import runpy
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "display"))
import desktop  # noqa: E402


def find(window, role, name=None, test=None):
    """The first node whose name is that without an underscore; else the first that contains it; else
    a toggle button of that name, where one of the newer kind stands for a button. A button with a key
    of its own has a label: “_Close” is none of a window's buttons."""
    found = None
    if role == "push button" and name is not None and "_" in name:
        found = find_role(window, role, name, lambda node: (test is None or test(node)) and any(
            desktop.role_of(inner) == "label" for inner in desktop.nodes(node)))
    found = found or find_role(window, role, name, test)
    if found is None and role == "push button" and name is not None:
        found = find_role(window, "toggle button", name, test)
    return found


def find_role(window, role, name, test):
    close = None
    plain = name if name is None else name.replace("_", "", 1)
    for node in desktop.nodes(window.app):
        if role and desktop.role_of(node) != role:
            continue
        # What is told as it changes has its words as its text alone.
        called = desktop.text_of(node) if role == "status bar" else node.name
        if called == "" and desktop.role_of(node).endswith("menu item"):
            called = desktop.name_of(node)
        if plain is not None and plain not in called:
            continue
        if test is not None and not test(node):
            continue
        if name is None or plain == name or called == plain:
            return node
        close = close or node
    return close


def says(window, part):
    return any(part in words or part.replace("_", "", 1) in words for words in window.words())


def named(window, name, node):
    return OLD_NAMED(window, name, node) or name.replace("_", "", 1) in desktop.name_of(node)


def role_of(node):
    """Check boxes of a group are radio buttons there."""
    role = OLD_ROLE_OF(node)
    return "check box" if role == "radio button" else role


def name_of(node):
    """The label of an item of a menu has the text that its name should be."""
    name = OLD_NAME_OF(node)
    if name == "" and OLD_ROLE_OF(node).endswith("menu item"):
        try:
            labels = node.get_labels()
        except desktop.GLib.Error:
            return name
        return desktop.text_of(labels[0]) if labels else name
    return name


def extents_of(node):
    """Places are told without the borders of what is around. The window's own are known from its
    place in itself: they are left out, and taken away once more."""
    left, top, width, height = OLD_EXTENTS_OF(node)
    window = node
    while window is not None and desktop.role_of(window) not in ("frame", "dialog"):
        window = window.parent
    if window is None:
        return left, top, width, height
    lost_x, lost_y, _, _ = OLD_EXTENTS_OF(window)
    times = 1 if window is node else 2
    return left - times * lost_x, top - times * lost_y, width, height


def stretch(window, look):
    """Lists have widgets only for what can be seen: what is not among them is below."""
    seen = look()
    if not seen and time.monotonic() > window.__dict__.setdefault("taller_at", time.monotonic() + 5):
        geometry = desktop.xdotool("getwindowgeometry", "--shell", window.window_id())
        width = dict(line.split("=") for line in geometry.splitlines())["WIDTH"]
        desktop.xdotool("windowsize", window.window_id(), width, "1650")
        window.taller_at = float("inf")
    return seen


def wait_row(window, *parts):
    def look():
        return next((row for row in rows(window)
                     if all(part in row.name for part in parts)), None)
    window.__dict__.pop("taller_at", None)
    return window.until(lambda: stretch(window, look), f"a row with {parts}")


def wait_rows(window, many):
    window.__dict__.pop("taller_at", None)
    window.until(lambda: stretch(window, lambda: len(window.row_names()) == many), f"{many} rows")


def rows(window):
    return [row for row in OLD_ROWS(window) if not row.children
            or desktop.role_of(row.children[0]) == "table cell"]


def focus_on(window, node):
    """Goes to @node by keys."""
    window._focus()
    for _ in range(80):
        if desktop.has_state(node, desktop.StateType.FOCUSED):
            return
        desktop.xdotool("key", "Tab")
        time.sleep(0.2)
    window.fail(f"the focus on {desktop.name_of(node)!r}")


def try_places(window, node, changing, state, distances):
    """Clicks near @node, which neither keys nor actions reach, until @changing has or loses @state."""
    before = desktop.has_state(changing, state)
    x, y = (int(place) for place in window.place(node))
    window._focus()
    for away in distances:
        desktop.xdotool("mousemove", str(x + away), str(y + away), "click", "1")
        time.sleep(0.5)
        if desktop.has_state(changing, state) != before:
            return
    window.fail(f"a change of {desktop.name_of(node)!r}")


def click_holding(window, key, node):
    x, y = (int(place) for place in window.place(node))
    window._focus()
    desktop.xdotool("mousemove", str(x + 16), str(y + 16), "keydown", key, "click", "1", "keyup", key)


def find_sensitive(window, name, roles):
    return window.find(None, name, lambda node: desktop.role_of(node) in roles
                       and desktop.has_state(node, desktop.StateType.SENSITIVE))


def press_menu(window, *names):
    """What opens another menu has no action: it is clicked."""
    for name in names:
        # A button of that name may stand in the window as well.
        item = window.until(lambda called=name: find_sensitive(
            window, called, ("menu item", "check menu item", "radio menu item"))
            or find_sensitive(window, called, ("push button",)), f"{name!r} in the menu")
        if item.count_actions() > 0:
            item.act()
            continue
        x, y = (int(place) for place in window.place(item))
        desktop.xdotool("mousemove", str(x + 13), str(y + 13), "click", "1")


def click(window, node, button="1"):
    """Presses what can be pressed, or goes there by keys: by its place, of which the toolkit leaves out
    what is around its parents, it would be missed by some pixels, deep inside by many."""
    if callable(node):
        node = window.until(node, "what is to be clicked")
    role = desktop.role_of(node)
    expander = node
    for _ in range(5 if role == "label" else 0):
        expander = expander.parent
        if desktop.role_of(expander) == "push button":
            # What unfolds something; above it may be what does something else.
            try_places(window, node, expander, desktop.StateType.EXPANDED, (34, 28, 22, 16, 10))
            return
    if button == "1" and node.children and desktop.role_of(node.children[0]) == "toggle button":
        node, role = node.children[0], "toggle button"
    pressed = role in ("push button", "toggle button", "check box")
    if button == "1" and pressed and node.count_actions() > 0:
        node.act()
    elif button == "1" and role == "check box" and "_" in desktop.name_of(node):
        # A check box has no action there, but its key.
        window.key("alt+" + desktop.name_of(node).partition("_")[2][0].lower())
    elif button == "1" and role == "check box":
        try_places(window, node, node, desktop.StateType.CHECKED, (10, 16, 22, 28, 34))
    elif button == "1" and role == "text":
        focus_on(window, node)
    else:
        OLD_CLICK(window, node, button)


OLD_NAME_OF = desktop.name_of
OLD_EXTENTS_OF = desktop.extents_of
OLD_CLICK = desktop.Window.click
OLD_NAMED = desktop.Window.named
OLD_ROLE_OF = desktop.role_of
OLD_ROWS = desktop.Window.rows
desktop.role_of = role_of
desktop.name_of = name_of
desktop.extents_of = extents_of
desktop.Window.named = named
desktop.Window.find = find
desktop.Window.rows = rows
desktop.Window.wait_row = wait_row
desktop.Window.wait_rows = wait_rows
desktop.Window.says = says
desktop.Window.click_holding = click_holding
desktop.Window.press_menu = press_menu
# High enough for all rows that a journey looks at.
desktop.Desktop.__init__.__defaults__ = ("1280x1700", None)
desktop.Window.click = click

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
    runpy.run_path(sys.argv[0], run_name="__main__")
