# SPDX-License-Identifier: GPL-3.0-or-later
"""What a screen reader knows of a program, asked for over the accessibility bus (AT-SPI 2).

Roles and names of all that there is come in one answer, out of the cache that the program offers,
and the children of a whole level are asked for at once: to go through a thousand nodes by a call for
each child, name and role takes seconds of a busy machine, in the program that is looked at as well.
"""

from collections import namedtuple

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

StateType = Atspi.StateType
ROOT = "/org/a11y/atspi/accessible/root"
CACHE = "/org/a11y/atspi/cache"
INTERFACE = "org.a11y.atspi."
WINDOW = int(Atspi.CoordType.WINDOW)
Extents = namedtuple("Extents", "x y width height")
TIMEOUT = 20000  # ms; a program that is busy is not one that has no children
ROLES = {}  # number: name
MAX_LOOKS = 10  # what changes all the time is taken as it was last


def role_name(number):
    if number not in ROLES:
        ROLES[number] = Atspi.role_get_name(Atspi.Role(number))
    return ROLES[number]


class Bus:
    """A connection to the accessibility bus of the session."""

    def __init__(self, session_bus):
        address = session_bus.call_sync(
            "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None,
            Gio.DBusCallFlags.NONE, 30000, None).unpack()[0]
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)

    def call(self, owner, path, interface, method, arguments=None):
        return self.connection.call_sync(owner, path, interface, method, arguments, None,
                                         Gio.DBusCallFlags.NONE, TIMEOUT, None).unpack()

    def call_all(self, calls):
        """The answers to all @calls, which are under way at once; None for one that failed."""
        answers = [None] * len(calls)
        left = len(calls)
        context = GLib.MainContext.default()

        def answered(connection, result, index):
            nonlocal left
            left -= 1
            try:
                answers[index] = connection.call_finish(result).unpack()
            except GLib.Error:
                pass  # it went away meanwhile
        for index, (owner, path, interface, method, arguments) in enumerate(calls):
            self.connection.call(owner, path, interface, method, arguments, None,
                                 Gio.DBusCallFlags.NONE, TIMEOUT, None, answered, index)
        while left > 0:
            context.iteration(True)
        return answers

    def applications(self):
        """The roots of all programs that are there."""
        for owner, path in self.call("org.a11y.atspi.Registry", ROOT, INTERFACE + "Accessible",
                                     "GetChildren")[0]:
            yield Node(self, owner, path)

    def process_id(self, owner):
        return self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "GetConnectionUnixProcessID", GLib.Variant("(s)", (owner,)))[0]

    def close(self):
        self.connection.close_sync(None)


class Node:
    """A node of that tree. What was read with all others stands in its members; its methods ask
    anew, and raise GLib.Error where it is gone."""

    def __init__(self, bus, owner, path):
        self.bus, self.owner, self.path = bus, owner, path
        self.role = self.name = self.description = ""
        self.interfaces = ()
        self.states = 0  # a bit for each
        self.parent, self.children = None, []
        self.is_leaf = False

    def __eq__(self, other):
        return isinstance(other, Node) and (self.owner, self.path) == (other.owner, other.path)

    def __hash__(self):
        return hash((self.owner, self.path))

    def _call(self, interface, method, signature=None, *values):
        arguments = GLib.Variant(signature, values) if signature else None
        return self.bus.call(self.owner, self.path, INTERFACE + interface, method, arguments)

    def _get(self, interface, name):
        return self.bus.call(self.owner, self.path, "org.freedesktop.DBus.Properties", "Get",
                             GLib.Variant("(ss)", (INTERFACE + interface, name)))[0]

    def get_name(self):
        return self._get("Accessible", "Name")

    def get_description(self):
        return self._get("Accessible", "Description")

    def count_children(self):
        return len(self._call("Accessible", "GetChildren")[0])

    def has_state(self, state):
        low, high = self._call("Accessible", "GetState")[0]
        return bool((high << 32 | low) >> int(state) & 1)

    def had_state(self, state):
        return bool(self.states >> int(state) & 1)

    def get_text(self):
        return self._call("Text", "GetText", "(ii)", 0, -1)[0]

    def count_characters(self):
        return self._get("Text", "CharacterCount")

    def set_text(self, text):
        self._call("EditableText", "SetTextContents", "(s)", text)

    def get_value(self):
        return self._get("Value", "CurrentValue")

    def set_value(self, value):
        self.bus.call(self.owner, self.path, "org.freedesktop.DBus.Properties", "Set",
                      GLib.Variant("(ssv)", (INTERFACE + "Value", "CurrentValue",
                                             GLib.Variant("d", value))))

    def count_actions(self):
        return self._get("Action", "NActions") if self.has("Action") else 0

    def act(self):
        """Does what a click would, so far as the program offers it."""
        return self._call("Action", "DoAction", "(i)", 0)[0]

    def get_extents(self):
        """Its place in its window."""
        return Extents(*self._call("Component", "GetExtents", "(u)", WINDOW)[0])

    def get_labels(self):
        """The nodes that name it."""
        return [Node(self.bus, owner, path)
                for kind, targets in self._call("Accessible", "GetRelationSet")[0]
                if kind == int(Atspi.RelationType.LABELLED_BY) for owner, path in targets]

    def has(self, interface):
        return INTERFACE + interface in self.interfaces

    def walk(self):
        """This node and all below, in order, as they were read."""
        yield self
        for child in self.children:
            yield from child.walk()

    def read(self):
        """Reads all nodes of the program, of which this is the root, and returns them in order."""
        for _ in range(MAX_LOOKS):
            root, whole = self._read_once()
            if whole:
                break
        return list(root.walk())

    def _read_once(self):
        """Returns: the root, and whether all that is there was in the cache: since GTK 4.10 a node
        comes into being when it is first asked for."""
        found = {}
        for (_, path), _, _, _, n_children, interfaces, name, role, description, states \
                in self.bus.call(self.owner, CACHE, INTERFACE + "Cache", "GetItems")[0]:
            node = Node(self.bus, self.owner, path)
            node.name, node.role, node.description = name, role_name(role), description
            node.interfaces, node.is_leaf = interfaces, n_children == 0 and path != ROOT
            node.states = states[1] << 32 | states[0]
            found[path] = node
        root, whole = found.get(ROOT, self), True
        level = [root]
        while level:
            # What is hidden says who its parent is, but only the parent knows that it is no child.
            parents = [node for node in level if not node.is_leaf]
            answers = self.bus.call_all([(node.owner, node.path, INTERFACE + "Accessible",
                                          "GetChildren", None) for node in parents])
            level = []
            for node, answer in zip(parents, answers):
                paths = [path for _, path in answer[0]] if answer is not None else []
                node.children = [found.get(path) or Node(self.bus, self.owner, path)
                                 for path in paths]
                whole = whole and answer is not None and all(path in found for path in paths)
                for child in node.children:
                    child.parent = node
                level += node.children
        return root, whole


def texts(found):
    """The texts of the nodes @found, all asked for at once; empty where one has none."""
    asked = [node for node in found if node.has("Text")]
    whole = GLib.Variant("(ii)", (0, -1))
    answers = asked[0].bus.call_all([(node.owner, node.path, INTERFACE + "Text", "GetText", whole)
                                     for node in asked]) if asked else []
    said = {node: answer[0] for node, answer in zip(asked, answers) if answer is not None}
    return [said.get(node, "") for node in found]
