#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end of the desktop portal that shows nothing: prints each notification as a line of JSON, and
answers every file chooser with the file that `test.Control.Choose (path)` named last."""

import json

from gi.repository import Gio, GLib

NAME = "org.freedesktop.impl.portal.desktop.gangway_test"
INTERFACES = """<node>
<interface name="org.freedesktop.impl.portal.Notification">
<method name="AddNotification"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="a{sv}" direction="in"/></method>
<method name="RemoveNotification"><arg type="s" direction="in"/><arg type="s" direction="in"/></method>
<signal name="ActionInvoked"><arg type="s"/><arg type="s"/><arg type="s"/><arg type="av"/></signal>
</interface>
<interface name="org.freedesktop.impl.portal.FileChooser">
<method name="OpenFile"><arg type="o" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="a{sv}" direction="in"/>
<arg type="u" direction="out"/><arg type="a{sv}" direction="out"/></method>
<method name="SaveFile"><arg type="o" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="a{sv}" direction="in"/>
<arg type="u" direction="out"/><arg type="a{sv}" direction="out"/></method>
</interface>
<interface name="test.Control">
<method name="Choose"><arg type="s" direction="in"/></method>
</interface>
</node>"""
CHOSEN = [None]


def say(*values):
    print(json.dumps(values, ensure_ascii=False), flush=True)


def called(bus, sender, path, interface, method, parameters, invocation):
    values = parameters.unpack()
    answer = None
    if method == "Choose":
        CHOSEN[0] = values[0]
    elif method in ("OpenFile", "SaveFile"):
        uri = GLib.filename_to_uri(CHOSEN[0])
        answer = GLib.Variant("(ua{sv})", (0, {"uris": GLib.Variant("as", [uri])}))
        say(method, values[1], uri)
    elif method == "AddNotification":
        say(method, values[0], values[1], {name: value for name, value in values[2].items()
                                           if isinstance(value, str)})
    else:
        say(method, *values)
    invocation.return_value(answer)


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    for interface in Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces:
        bus.register_object("/org/freedesktop/portal/desktop", interface, called, None, None)
    Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE,
                                   lambda *a: say("ready"), None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
