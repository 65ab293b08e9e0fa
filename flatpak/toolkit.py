#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How GTK 4.18 names things on the accessibility bus otherwise than GTK 4.8, for which the journeys
of tests/display are written: buttons without the underscore of their key.
    toolkit.py TEST-FILE [ARGUMENT…]    runs such a file against the newer GTK"""

import os
import runpy
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "display"))
import desktop  # noqa: E402


def find(window, role, name=None, test=None):
    """The first node whose name is that without an underscore; else the first that contains it."""
    close = None
    plain = name if name is None else name.replace("_", "", 1)
    for node in desktop.nodes(window.app):
        if role and desktop.role_of(node) != role:
            continue
        if plain is not None and plain not in desktop.name_of(node):
            continue
        if test is not None and not test(node):
            continue
        if name is None or plain == name or desktop.name_of(node) == plain:
            return node
        close = close or node
    return close


desktop.Window.find = find

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))
    runpy.run_path(sys.argv[0], run_name="__main__")
