#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the preferences: a provider is added, tested and used; settings reach the gateway;
the gateway is changed; no key is left anywhere that it does not belong."""

import json
import os
import urllib.request

import desktop
import frame
from desktop import Atspi, has_state, name_of, nodes, role_of
from fake_gateway import FakeGateway

KEY = frame.CANARY


class Case(desktop.Case):
    def preferences(self, window):
        window.key("ctrl+comma")
        window.wait_words("Providers", "Running", "Gateway", "Results")

    def page(self, window, title):
        """Presses the tab of a page; wide and narrow windows have one each."""
        def look():
            for node in nodes(window.app):
                if role_of(node) in ("toggle button", "radio button", "tab", "page tab") \
                        and title in name_of(node) and has_state(node, Atspi.StateType.SHOWING):
                    return node
            return None
        Atspi.Action.do_action(window.until(look, f"the tab of {title}"), 0)

    def entry(self, window, name):
        return window.wait_node("text", None, lambda node: name in name_of(node)
                                and has_state(node, Atspi.StateType.EDITABLE))

    def fill(self, window, name, text):
        Atspi.EditableText.set_text_contents(self.entry(window, name), text)

    def address(self, window):
        """Of the built-in gateway: the system chose its port."""
        return "http://127.0.0.1:8000"

    def ask(self, path, url="http://127.0.0.1:8000"):
        with urllib.request.urlopen(url + path, timeout=10) as reply:
            return json.loads(reply.read())

    def assert_nowhere(self, window):
        """The key is in no log, no setting and no file but a keyring."""
        self.assertNotIn(KEY, window.stderr)
        self.assertNotIn(KEY, window.dump())
        for folder, _, files in os.walk(self.home.path):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(KEY.encode(), file.read(), os.path.join(folder, name))


class Providers(Case):
    def test_a_provider_is_added_tested_and_used_without_a_keyring(self):
        mock = self.mock(providers={"one": {"keys": [KEY], "models": ["mock-model", "other"]}})
        window = self.open()
        window.wait_words("Built-in gateway")
        self.preferences(window)
        window.wait_words("No Provider Yet")
        window.press("Add a Provider")
        window.wait_words("New Provider")
        combo = window.wait_node(None, "Service", lambda node: role_of(node) != "label")
        self.choose_other(window, combo)
        self.fill(window, "Name", "My Server")
        self.fill(window, "Address", mock.base("one").removeprefix("http://"))
        self.fill(window, "Key", "not-" + KEY[:8] + "-at-all")
        self.fill(window, "Default model", "mock-model")
        window.press("_Test")
        window.wait_words("Key not accepted")
        self.fill(window, "Key", KEY)
        window.press("_Test")
        window.wait_words("Works", "2 models")
        window.press("_Add")
        window.wait_words("Key kept until you quit", "My Server")
        window.wait_words("2 models")
        shown = self.ask("/providers/my-server")
        self.assertEqual((shown["title"], shown["key_source"], shown["keys"]),
                         ("My Server", "session", 1))
        window.key("Escape")
        window.until(lambda: not window.says("No Provider Yet") and window.find(
            "table row") is None and window.find(None, "Use My Server") is None, "the window alone")
        window.run_task("use it")
        window.wait_row("use it", "Completed")
        self.assertEqual(mock.stats("one")["answered"], 1)
        self.assert_nowhere(window)

    def choose_other(self, window, _combo):
        """The last of the services: one of one's own."""
        row = window.wait_node(None, None, lambda node: role_of(node) in ("combo box", "list item")
                               and "Service" in name_of(node))
        window.click(row)
        window.key("End")
        window.key("Return")
        window.until(lambda: window.find("text", "Name") is not None, "the field of the name")


if __name__ == "__main__":
    desktop.main()
