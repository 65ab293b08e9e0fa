#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A back end of the desktop portal that shows nothing: prints what is asked as lines of JSON, and
answers every file chooser with the file that `test.Control.Choose (path)` named last."""

import json

from gi.repository import Gio, GLib

NAME = "org.freedesktop.impl.portal.desktop.gangway_test"
INTERFACES = """<node>
<interface name="org.freedesktop.impl.portal.Notification">
<method name="AddNotification"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="a{sv}" direction="in"/></method>
<method name="RemoveNotification"><arg type="s" direction="in"/>
<arg type="s" direction="in"/></method>
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
<interface name="org.freedesktop.impl.portal.Inhibit">
<method name="Inhibit"><arg type="o" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="u" direction="in"/>
<arg type="a{sv}" direction="in"/></method>
<method name="CreateMonitor"><arg type="o" direction="in"/><arg type="o" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="u" direction="out"/></method>
<method name="QueryEndResponse"><arg type="o" direction="in"/></method>
<signal name="StateChanged"><arg type="o"/><arg type="a{sv}"/></signal>
</interface>
<interface name="org.freedesktop.impl.portal.Settings">
<method name="ReadAll"><arg type="as" direction="in"/>
<arg type="a{sa{sv}}" direction="out"/></method>
<method name="Read"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="v" direction="out"/></method>
<signal name="SettingChanged"><arg type="s"/><arg type="s"/><arg type="v"/></signal>
<property name="version" type="u" access="read"/>
</interface>
<interface name="test.Control">
<method name="Choose"><arg type="s" direction="in"/></method>
</interface>
</node>"""
SETTINGS = {("org.freedesktop.appearance", "color-scheme"): 0}
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
    elif method == "ReadAll":
        answer = GLib.Variant("(a{sa{sv}})", ({space: {key: GLib.Variant("u", value)}
                                               for (space, key), value in SETTINGS.items()},))
    elif method == "Read" and values in SETTINGS:
        answer = GLib.Variant("(v)", (GLib.Variant("u", SETTINGS[values]),))
    elif method == "Read":
        invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", "no such setting")
        return
    elif method == "CreateMonitor":
        answer = GLib.Variant("(u)", (0,))
    elif method == "AddNotification":
        say(method, values[0], values[1], {name: value for name, value in values[2].items()
                                           if isinstance(value, str)})
    else:
        say(method, *values)
    invocation.return_value(answer)


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    for interface in Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces:
        bus.register_object("/org/freedesktop/portal/desktop", interface, called,
                            lambda *a: GLib.Variant("u", 1), None)
    Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE,
                                   lambda *a: say("ready"), None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
