#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A window beside the one under test that files, or a text, can be dragged out of:
drag_source.py FILE… | --lend FILE… | --text TEXT
Files that are lent go through the portal where a sandboxed program takes them."""

import sys

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, Gio, GLib, Gtk  # noqa: E402


def begun(source, drag):
    # Said, so that whoever moves the pointer knows how far things are.
    print("dragging", flush=True)
    drag.connect("notify::selected-action", lambda *a: print(
        "accepted" if drag.get_selected_action() else "refused", flush=True))


def content():
    if sys.argv[1] == "--lend":
        files = Gdk.FileList.new_from_list([Gio.File.new_for_path(path) for path in sys.argv[2:]])
        return Gdk.ContentProvider.new_for_value(files)
    if sys.argv[1] == "--text":
        kind, text = "text/plain;charset=utf-8", sys.argv[2]
    else:
        kind = "text/uri-list"
        text = "".join(Gio.File.new_for_path(path).get_uri() + "\r\n" for path in sys.argv[1:])
    return Gdk.ContentProvider.new_for_bytes(kind, GLib.Bytes.new(text.encode()))


def activate(app):
    window = Gtk.ApplicationWindow(application=app, title="drag source", default_width=200,
                                   default_height=120)
    label = Gtk.Label(label="drag me", hexpand=True, vexpand=True)
    source = Gtk.DragSource(actions=Gdk.DragAction.COPY)
    source.connect("prepare", lambda *a: content())
    source.connect("drag-begin", begun)
    label.add_controller(source)
    window.set_child(label)
    window.present()
    print("ready", flush=True)


app = Gtk.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
app.connect("activate", activate)
app.run([])
