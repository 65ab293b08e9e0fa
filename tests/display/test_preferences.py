#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the preferences: a provider is added, tested and used; settings reach the gateway;
the gateway is changed; no key is left anywhere that it does not belong."""

import json
import os
import time
import urllib.error
import urllib.request

import desktop
import frame
from desktop import StateType, has_state, name_of, nodes, role_of

KEY = frame.CANARY


class Case(desktop.Case):
    def preferences(self, window):
        window.key("ctrl+comma")
        self.shell(window)

    def shell(self, window):
        return window.wait_node("frame", "Preferences")

    def within(self, window, role, name, test=None):
        """A node of the preferences window: names also stand in the main window."""
        def look():
            for node in nodes(window.find("frame", "Preferences")):
                if role_of(node) == role and window.named(name, node) \
                        and (test is None or test(node)):
                    return node
            return None
        return window.until(look, f"{role} {name!r} in the preferences")

    def close(self, window):
        """Escape first leaves a field that is being edited."""
        def closed():
            if window.find("frame", "Preferences") is None:
                return True
            window.key("Escape")
            time.sleep(0.2)  # before the next one, which would go to the window behind it
            return False
        window.until(closed, "the window alone")

    def page(self, window, title):
        self.within(window, "page tab", title).act()

    def entry(self, window, name):
        return self.within(window, "text", name,
                           lambda node: has_state(node, StateType.EDITABLE))

    def fill(self, window, name, text):
        self.entry(window, name).set_text(text)

    def press(self, window, name):
        self.within(
            window, "push button", name,
            lambda node: has_state(node, StateType.SENSITIVE)).act()

    def ask(self, path, url="http://127.0.0.1:8000"):
        with urllib.request.urlopen(url + path, timeout=10) as reply:
            return json.loads(reply.read())

    def asked(self, window, path, test, what):
        def look():
            try:
                reply = self.ask(path)
            except urllib.error.URLError:
                return None
            return reply if test(reply) else None
        return window.until(look, what)

    def assert_nowhere(self, window):
        """The key is in no log, no setting and no file."""
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
        self.press(window, "Add a Provider")
        window.wait_words("New Provider")
        # Without scheme and path, as people type it.
        self.fill(window, "Address", "http://api.example.com/v1")
        self.press(window, "_Test")
        window.wait_words("unencrypted")
        self.fill(window, "Address", mock.base("one").removeprefix("http://") + "/v1")
        self.fill(window, "Key", "one-that-is-wrong")
        self.fill(window, "Default model", "no-such")
        self.press(window, "_Test")
        window.wait_words("Key not accepted", "Put in the right one.")
        self.assertFalse(window.says("resume"))
        self.fill(window, "Key", KEY)
        self.press(window, "_Test")
        window.wait_words("does not offer the model “no-such”", "Choose one below")
        self.fill(window, "Default model", "mock-model")
        self.press(window, "_Test")
        window.wait_words("2 models")
        self.press(window, "_Add")
        window.wait_words("Key kept until you quit — no keyring is available")
        shown = self.asked(window, "/providers/openai", lambda one: one["tested"] is not None,
                           "the test after it was written")
        self.assertEqual((shown["base_url"], shown["key_source"], shown["keys"], shown["in_use"]),
                         (mock.base("one"), "session", 1, True))
        self.assertTrue(shown["tested"]["ok"])
        window.wait_words("2 models")
        # What is stored is told, never shown.
        window.click_until(lambda: self.within(window, "list item", "OpenAI"),
                           lambda: window.says("A key is kept until you quit"), "its page")
        window.key("Escape")
        window.until(lambda: not window.says("A key is kept"), "the list again")
        self.close(window)
        window.run_task("use it")
        window.wait_row("use it", "Completed")
        self.assertEqual(mock.stats("one")["answered"], 1)
        self.assert_nowhere(window)

    def test_another_service_has_no_name_yet(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.preferences(window)
        self.press(window, "Add a Provider")
        window.wait_words("New Provider")
        window.click_until(lambda: self.within(window, "combo box", "Service"),
                           lambda: window.find("label", "Other"), "the services")
        desktop.xdotool("key", "End", "Return")
        # It asks for a name: that of the service before is not the name of this one.
        self.entry(window, "Name")
        self.fill(window, "Address", "127.0.0.1:9999")
        self.fill(window, "Key", KEY)
        add = self.within(window, "push button", "_Add")
        self.assertFalse(has_state(add, StateType.SENSITIVE))
        self.fill(window, "Name", "Mine")
        window.until(lambda: has_state(add, StateType.SENSITIVE), "that it can be added")

    def test_a_command_is_looked_for_and_not_run(self):
        self.home.configure("[provider own]\nenabled=true\nkind=command\n"
                            f"command=touch {self.home.path}/was-run\n")
        window = self.open()
        window.wait_words("Built-in gateway")
        self.preferences(window)
        window.click_until(lambda: self.within(window, "list item", "own"),
                           lambda: window.says("Runs nothing"), "its page")
        self.assertFalse(window.says("list of models"))
        self.press(window, "_Test")
        window.wait_words("Works")
        # In whole words: a choice has room for some letters only.
        kind = self.within(window, "label", "Command", lambda node: name_of(node) == "Command")
        self.assertGreater(kind.get_extents().width, 50)
        self.fill(window, "Command and arguments", "there-is-no-such-program")
        self.press(window, "_Test")
        window.wait_words("no program \"there-is-no-such-program\"")
        self.assertFalse(os.path.exists(os.path.join(self.home.path, "was-run")))

    def test_switched_off_ordered_removed_and_brought_back(self):
        mock = self.mock(providers={"one": {}, "two": {}})
        window = self.open(config=self.lanes(mock, one={"title": "First"}, two={"title": "Second"}))
        window.wait_words("Built-in gateway")
        self.preferences(window)
        window.wait_words("First", "Second")
        self.within(window, "check box", "Use First").act()
        self.asked(window, "/providers/one", lambda one: not one["in_use"], "the first switched off")
        window.wait_words("Off")
        window.click_until(lambda: self.within(window, "list item", "Second"),
                           lambda: window.says("Remove Provider"), "its page")
        self.press(window, "_Remove Provider")
        window.wait_words("“Second” removed")
        self.asked(window, "/providers/two", lambda two: not two["in_use"], "the second out of use")
        self.press(window, "Undo")
        self.asked(window, "/providers/two", lambda two: two["in_use"], "the second back")
        window.wait_words("Second")
        self.within(window, "list item", "Second")


    def test_what_the_file_says_is_not_changed_by_another_change(self):
        mock = self.mock(providers={"one": {}})
        window = self.open(config=self.lanes(mock, one={
            "title": "First", "max-concurrency": 900, "latency": 0.05,
            "timeout-seconds": 7200}))
        window.wait_words("Built-in gateway")
        self.preferences(window)
        window.click_until(lambda: self.within(window, "list item", "First"),
                           lambda: window.says("Remove Provider"), "its page")
        self.fill(window, "Name", "Renamed")
        self.press(window, "_Save")
        shown = self.asked(window, "/providers/one", lambda one: one["title"] == "Renamed",
                           "the new name")
        self.assertEqual((shown["max_concurrency"], shown["latency"], shown["timeout_seconds"]),
                         (900, 0.05, 7200))


class Running(Case):
    def test_settings_reach_the_gateway_and_stay(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.preferences(window)
        self.page(window, "Running")
        spin = self.within(window, "spin button", "At once")
        window.until(lambda: spin.get_value() == 10, "what the gateway has")
        spin.set_value(7)
        self.asked(window, "/settings", lambda one: one["max_concurrency"] == 7, "seven at once")
        with open(self.home.config_file, encoding="utf-8") as file:
            self.assertIn("max-concurrency=7", file.read())

        # What somebody else changes meanwhile stays: only what was changed here is sent.
        request = urllib.request.Request(
            "http://127.0.0.1:8000/settings", json.dumps({"max_attempts": 5}).encode(),
            {"Content-Type": "application/json"}, method="PATCH")
        urllib.request.urlopen(request, timeout=10).close()
        spin.set_value(8)
        reply = self.asked(window, "/settings", lambda one: one["max_concurrency"] == 8,
                           "eight at once")
        self.assertEqual(reply["max_attempts"], 5)

    def test_large_text_cuts_off_no_choice(self):
        window = self.open(env={"GW_TEST_DPI": "144"})
        window.wait_words("Built-in gateway")
        self.preferences(window)
        self.page(window, "Running")

        def wide(text):
            nodes_of_it = [node for node in nodes(window.find("frame", "Preferences"))
                           if role_of(node) == "label" and text in name_of(node)]
            return max((node.get_extents().width
                        for node in nodes_of_it), default=0)
        # A letter is 9 px wide then; what is cut off has room for one and the dots.
        window.until(lambda: wide("Ask first") > 70, "the whole of “Ask first”")

    def test_all_history_is_deleted_once_and_truly(self):
        window = self.open()
        window.run_lines("first", "second")
        for task in ("first", "second,"):
            window.wait_row(task, "Completed")
        self.preferences(window)
        self.page(window, "Results")
        row = self.within(window, "list item", "Delete All History")
        window.click_until(lambda: row, lambda: window.says("Delete All History?"), "the question")
        window.press("_Delete All")
        window.wait_words("History deleted")
        self.assertEqual(self.asked(window, "/tasks", lambda one: not one["tasks"],
                                    "no task")["tasks"], [])
        self.close(window)
        window.wait_words("Run Many Tasks")


class Gateway(Case):
    def test_the_address_is_changed_and_the_token_kept_out_of_the_settings(self):
        daemon = self.daemon("--data-dir", os.path.join(self.home.path, "elsewhere"),
                             env={"GANGWAY_TOKEN": KEY})
        window = self.open()
        window.wait_words("Built-in gateway")
        self.preferences(window)
        self.page(window, "Gateway")
        window.wait_words("Using the built-in gateway", "127.0.0.1:8000")
        window.click(self.within(window, "check box", "Address"))
        # A row with an Apply button takes only what is typed into it.
        window.click(lambda: self.entry(window, "Token"))
        desktop.xdotool("type", KEY)
        window.key("Return")
        # Without an address it is for nobody: that is said, and it waits for one.
        window.wait_words("enter its address, too")
        desktop.xdotool("type", daemon.url.removeprefix("http://"))
        window.key("Return")
        window.wait_words("Token kept until you quit", f"Using {daemon.url[7:]}")
        # Its settings can be changed: it runs on this computer, and the token is right.
        self.page(window, "Running")
        spin = self.within(window, "spin button", "Attempts")
        window.until(lambda: has_state(spin, StateType.SENSITIVE), "settings to change")
        self.close(window)
        window.run_task("over there")
        window.wait_row("over there", "Completed")
        self.assert_nowhere(window)


if __name__ == "__main__":
    desktop.main()
