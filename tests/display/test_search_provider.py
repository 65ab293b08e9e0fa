#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search of the desktop, as GNOME Shell asks for it over the session bus."""

import desktop
from gi.repository import Gio, GLib

NAME = "io.github.gangway.Gangway"
PATH = "/io/github/gangway/Gangway/SearchProvider"
INTERFACE = "org.gnome.Shell.SearchProvider2"


class SearchProvider(desktop.Case):
    def ask(self, method, *values):
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        answer = bus.call_sync(NAME, PATH, INTERFACE, method, GLib.Variant(*values), None,
                               Gio.DBusCallFlags.NO_AUTO_START, 10000, None)
        return answer.unpack()

    def find(self, *terms):
        return self.ask("GetInitialResultSet", "(as)", (list(terms),))[0]

    def test_what_is_found_is_shown_only_when_it_is_wanted(self):
        window = self.open()
        window.run_task("a rare word: quokka")
        window.wait_row("quokka", "Completed")
        self.assertEqual(self.find("quokka"), [], "results may be private")
        self.prefer(search_provider="true")
        window.until(lambda: self.find("quokka"), "the task in the search")
        found = self.find("quokka")
        self.assertEqual(len(found), 1)
        self.assertEqual(self.ask("GetSubsearchResultSet", "(asas)", (found, ["quokkas"]))[0], [])
        found = self.find("rare", "word")
        meta = self.ask("GetResultMetas", "(as)", (found,))[0][0]
        self.assertEqual(meta["name"], "a rare word: quokka")
        self.assertEqual(meta["description"], "Completed")
        window.run_task("another one")
        window.wait_row("another one", "Completed")
        self.ask("ActivateResult", "(sasu)", (found[0], ["rare"], 0))
        window.until(lambda: window.result() == "a rare word: quokka", "the task that was found")
        self.ask("LaunchSearch", "(asu)", (["quokka"], 0))
        window.until(lambda: len(window.row_names()) == 1, "the list of what was found")


if __name__ == "__main__":
    desktop.main()
