#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a desktop has on its buses, as far as the window speaks to it: notifications, the session
manager, the task bar's progress and logind. Prints every call as a line of JSON; presses a button of
a notification when `test.Control.Press (id, action)` is called."""

import json
import sys

from gi.repository import Gio, GLib

INTERFACES = """<node>
<interface name="org.freedesktop.Notifications">
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
<arg type="u" direction="out"/></method>
<method name="CloseNotification"><arg type="u" direction="in"/></method>
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
<arg type="s" direction="out"/><arg type="s" direction="out"/></method>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
<signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface>
<interface name="org.gnome.SessionManager">
<method name="RegisterClient"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="o" direction="out"/></method>
<method name="UnregisterClient"><arg type="o" direction="in"/></method>
<method name="Inhibit"><arg type="s" direction="in"/><arg type="u" direction="in"/>
<arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="u" direction="out"/></method>
<method name="Uninhibit"><arg type="u" direction="in"/></method>
</interface>
<interface name="org.freedesktop.login1.Manager">
<method name="Suspend"><arg type="b" direction="in"/></method>
</interface>
<interface name="test.Control">
<method name="Press"><arg type="u" direction="in"/><arg type="s" direction="in"/></method>
</interface>
</node>"""
NODE = Gio.DBusNodeInfo.new_for_xml(INTERFACES)
COUNT = [0]
NAMES = ["org.freedesktop.Notifications", "org.gnome.SessionManager", "org.freedesktop.login1"]
NEEDED = list(NAMES)


def say(name, *values):
    print(json.dumps([name, *values], ensure_ascii=False), flush=True)


def called(bus, sender, path, interface, method, parameters, invocation):
    values = parameters.unpack()
    answer = None
    if method == "Press":
        bus.emit_signal(None, "/org/freedesktop/Notifications", NAMES[0], "ActionInvoked",
                        GLib.Variant("(us)", values))
    elif method == "Notify":
        COUNT[0] += 1
        shown = values[1] or COUNT[0]
        answer = GLib.Variant("(u)", (shown,))
        say("Notify", shown, values[3], values[4], values[5])
    elif method == "Inhibit":
        COUNT[0] += 1
        answer = GLib.Variant("(u)", (COUNT[0],))
        say("Inhibit", values[2], values[3])
    elif method == "GetCapabilities":
        answer = GLib.Variant("(as)", (["actions", "body"],))
    elif method == "GetServerInformation":
        answer = GLib.Variant("(ssss)", ("test", "test", "1", "1.2"))
    elif method == "RegisterClient":
        answer = GLib.Variant("(o)", ("/client",))
    else:
        say(method, *values)
    invocation.return_value(answer)


def progressed(bus, sender, path, interface, signal, parameters):
    uri, values = parameters.unpack()
    say("Update", uri, values)


def owned(bus, name):
    NEEDED.remove(name)
    if not NEEDED:
        say("ready")


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    places = ["/org/freedesktop/Notifications", "/org/gnome/SessionManager",
              "/org/freedesktop/login1", "/test"]
    for place, interface in zip(places, NODE.interfaces):
        bus.register_object(place, interface, called, None, None)
    bus.signal_subscribe(None, "com.canonical.Unity.LauncherEntry", "Update", None, None,
                         Gio.DBusSignalFlags.NONE, progressed)
    for name in NAMES:
        Gio.bus_own_name_on_connection(bus, name, Gio.BusNameOwnerFlags.NONE, owned, None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    sys.exit(main())
