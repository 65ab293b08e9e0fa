#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs: what they do to tasks, what can be taken back, and that every key of the table does in
the real window what the table says."""

import os
import re
import subprocess
import time

import desktop
import frame
from fake_gateway import FakeGateway

SENSITIVE = desktop.StateType.SENSITIVE


def clipboard(window):
    """What Ctrl+V would give; GTK hands it out only while it runs, so ask through a second program."""
    script = ("import gi; gi.require_version('Gtk', '4.0'); from gi.repository import Gtk, Gdk, GLib\n"
              "Gtk.init(); loop = GLib.MainLoop()\n"
              "def got(c, r):\n    print(c.read_text_finish(r), end=''); loop.quit()\n"
              "Gdk.Display.get_default().get_clipboard().read_text_async(None, got)\n"
              "GLib.timeout_add_seconds(5, loop.quit); loop.run()\n")
    return subprocess.run([frame.PYTHON, "-c", script], env={**window.env, "G_DEBUG": ""},
                          capture_output=True, text=True, check=False).stdout


class Work(desktop.Case):
    def open_slow(self, lines="first\nsecond\nthird", wide=1):
        mock = self.mock(providers={"slow": {"latency": 600, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"max-concurrency": wide}))
        window.type_task(lines)
        window.press(f"Add as {len(lines.splitlines())} Tasks")
        window.press(f"_Run {len(lines.splitlines())}")
        window.wait_row("first", "Running")
        window.wait_row("second,", "Queued")
        return mock, window

    def test_pause_and_resume(self):
        _mock, window = self.open_slow()
        window.key("ctrl+shift+p")
        window.wait_words("Queue paused. 2 tasks are waiting.", "Resume the Queue")
        window.press("_Resume")
        window.until(lambda: not window.says("Queue paused"), "the end of the banner")
        # The act itself can be taken back as well.
        window.key("ctrl+shift+p")
        window.wait_words("Queue paused")
        window.pick("second,")
        window.key("ctrl+z")
        window.until(lambda: not window.says("Queue paused"), "the end of the banner")
        window.wait_words("Undone: Pause the queue")

    def test_move_to_top_and_bottom(self):
        _mock, window = self.open_slow("first\nsecond, again\nthird\nfourth")
        window.pick("fourth")
        window.key("alt+Home")
        window.wait_words("1 task moved to the top")
        window.wait_row("fourth", "Queued", "goes first")
        window.wait_words("#4 · goes first")
        window.open_menu(lambda: window.wait_row("second,", "Queued"), "Move to Bottom")
        window.wait_words("1 task moved to the bottom")
        window.wait_row("second,", "goes last")
        window.press("_Undo")
        window.wait_words("Undone: Move 1 task to the bottom")
        window.until(lambda: not [name for name in window.row_names() if "goes last" in name],
                     "the task in its place")
        window.pick("third")
        window.key("ctrl+shift+z")
        window.wait_row("second,", "goes last")
        # They go as they stand.
        for ends, goes in (("first", "fourth"), ("fourth", "third"), ("third", "second,")):
            window.pick(ends)
            window.key("ctrl+k")
            window.wait_row(goes, "Running")

    def test_several_are_selected_by_clicks(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        for text in ("first", "second", "third", "fourth"):
            gateway.add(text, "completed", result="yes")
        window = self.open("--gateway", gateway.uri)

        def click(key, row, *expected):
            window.click_holding(key, lambda: window.wait_row(row + ","))
            window.until(lambda: window.selected() == list(expected), f"{expected} selected")
        window.pick("first")
        click("ctrl", "third", "first", "third")
        click("ctrl", "fourth", "first", "third", "fourth")
        window.wait_words("3 Tasks Selected")
        click("ctrl", "third", "first", "fourth")
        click("ctrl", "second", "first", "second", "fourth")
        click("shift", "fourth", "second", "third", "fourth")

    def test_a_move_that_changes_nothing_says_so(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        ids = [gateway.add(text) for text in ("first", "second")]
        gateway.moves = False
        window = self.open("--gateway", gateway.uri)
        window.pick("second")
        window.key("alt+Home")
        window.wait_words("Not moved: all of them are there already, or have begun")
        self.assertIn(("POST", "/tasks/move", {"task_ids": ids[1:], "to": "top"}), gateway.calls)

    def test_stop_after_this(self):
        _mock, window = self.open_slow()
        window.open_menu(lambda: window.wait_row("second,", "Queued"), "Stop After This")
        window.wait_words("Stops after “second”: no other task begins then.")
        window.pick("first")
        window.key("ctrl+k")
        window.wait_row("second,", "Running")
        window.wait_words("Queue paused. 1 task is waiting.")
        window.press("_Resume")
        window.until(lambda: not window.says("Queue paused"), "the end of the banner")
        # One that runs already, and taken back; then one that is not to be after all.
        window.open_menu(lambda: window.wait_row("second,", "Running"), "Stop After This")
        window.wait_words("Queue paused. 1 task is waiting.")
        window.pick("first")
        window.key("ctrl+z")
        window.until(lambda: not window.says("Queue paused"), "the end of the banner")
        window.open_menu(lambda: window.wait_row("third", "Queued"), "Stop After This")
        window.press("Do _Not Stop")
        window.until(lambda: not window.says("Stops after"), "the end of the banner")
        # What is paused by hand does not say that it stops later.
        window.open_menu(lambda: window.wait_row("third", "Queued"), "Stop After This")
        window.wait_words("Stops after")
        window.press("Pause the Queue")
        window.wait_words("Queue paused. 1 task is waiting.")
        self.assertFalse(window.says("Stops after"))

    def test_what_runs_tells_for_how_long(self):
        # A lane without a limit per minute: the gateway tells of the send with the answer only.
        _mock, window = self.open_slow()
        window.pick("first")

        def facts(number, pattern):
            return any(re.search(rf"^#{number}\b{pattern}", words) for words in window.words())
        window.until(lambda: facts(1, r".* · ([1-9]\d* min \d+|[1-9]\d*) s( ·|$)"),
                     "the time so far")
        window.pick("second,")
        window.until(lambda: facts(2, "") and not facts(2, r".*\d s\b"),
                     "no time of what has not begun")

    def test_one_toast_is_shown_and_its_button_takes_its_own_act_back(self):
        _mock, window = self.open_slow()
        window.wait_words("3 tasks added")
        window.pick("second,")
        window.key("ctrl+k")
        window.wait_words("1 task cancelled")
        self.assertFalse(window.says("3 tasks added"))
        window.pick("third")
        window.key("Delete")
        window.wait_words("1 task removed")
        self.assertFalse(window.says("1 task cancelled"))
        window.press("_Undo")
        window.wait_row("third", "Queued")
        window.wait_row("second,", "Cancelled")
        # Its act has been taken back: there is nothing left to press.
        window.wait_words("Undone: Remove 1 task")
        window.until(lambda: not window.find("push button", "_Undo"), "the end of the toast")
        # By the key as well.
        window.pick("third")
        window.key("Delete")
        window.wait_words("1 task removed")
        window.pick("first")
        window.key("ctrl+z")
        window.wait_row("third", "Queued")
        window.until(lambda: not window.find("push button", "_Undo"), "the end of the toast")

    def test_stop_all_keeps_what_is_queued_and_is_taken_back(self):
        mock, window = self.open_slow()
        window.key("ctrl+shift+k")
        window.wait_words("Stopped. 2 tasks are still queued", "Queue paused")
        window.wait_row("first", "Cancelled")
        window.wait_row("second,", "Queued")
        frame.wait_for(lambda: mock.stats()["providers"]["slow"]["in_flight"] == 0,
                       "the end of the calls")
        window.press("_Undo")
        window.wait_row("first", "Running")
        window.until(lambda: not window.says("Queue paused"), "the end of the banner")

    def test_cancel_and_remove_are_undone_and_done_again(self):
        _mock, window = self.open_slow()
        window.pick("second,")
        window.key("ctrl+k")
        window.wait_row("second,", "Cancelled")
        window.wait_words("1 task cancelled")
        window.pick("third")
        window.key("Delete")
        window.wait_words("1 task removed")
        window.until(lambda: len(window.row_names()) == 2, "the end of the row")
        # In the text field the same key belongs to the text.
        window.type_task("typed")
        window.key("ctrl+n", "ctrl+z")
        window.wait_rows(2)
        window.pick("first")
        window.key("ctrl+z")
        window.wait_row("third", "Queued")
        window.key("ctrl+z")
        window.wait_row("second,", "Queued")
        window.key("ctrl+shift+z")
        window.wait_row("second,", "Cancelled")
        window.key("ctrl+z")
        window.wait_row("second,", "Queued")

    def test_added_tasks_are_taken_back(self):
        _mock, window = self.open_slow()
        window.wait_words("3 tasks added")
        window.press("_Undo")
        # What runs was wanted; only what has not begun goes.
        window.until(lambda: len(window.row_names()) == 1, "one row")
        window.wait_row("first", "Running")
        window.pick("first")
        window.key("ctrl+shift+z")
        window.until(lambda: len(window.row_names()) == 3, "three rows")


def providers():
    """Two that are in use, with models of one, and one that is only a name of the catalogue."""
    return [{"name": "hunyuan", "title": "Tencent Hunyuan", "in_use": True, "usable": True,
             "model": "hunyuan-lite"},
            {"name": "openai", "title": "OpenAI", "in_use": True, "usable": True,
             "model": "gpt-4o", "tested": {"models": ["gpt-4o", "gpt-4o-mini"]}},
            {"name": "deepseek", "title": "DeepSeek", "in_use": False, "usable": False,
             "enabled": False, "preset": True, "configured": False}]


class Causes(desktop.Case):
    def open_failed(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.providers = providers()
        gateway.add("good", "completed", result="yes", ago=9, took=1, provider="openai")
        for number in range(3):
            gateway.add(f"slow {number}", "failed", ago=8, took=1, provider="openai",
                        error={"code": "timeout", "message": "no answer"})
        gateway.add("slow other", "failed", ago=7, took=1, provider="hunyuan",
                    error={"code": "timeout", "message": "no answer"})
        for number in range(2):
            gateway.add(f"refused {number}", "failed", ago=6, took=1, provider="openai",
                        error={"code": "auth", "message": "HTTP 401"})
        return gateway, self.open("--gateway", gateway.uri)

    def test_failures_are_grouped_and_retried_by_cause(self):
        gateway, window = self.open_failed()
        window.wait_row("refused 0", "Failed")
        self.assertFalse(window.says("Key not accepted · OpenAI (2)"))
        window.key("alt+5")
        window.wait_words("Key not accepted · OpenAI (2)", "Timed out · OpenAI (3)",
                          "Timed out · Tencent Hunyuan (1)")
        # Wherever a provider is named, by what it is called.
        window.pick("refused 1")
        window.wait_words("\u2068OpenAI\u2069 · ", "The key was not accepted by OpenAI")
        # All that were refused are of one provider: one call.
        window.press("Retry 2")
        window.wait_words("2 tasks queued again")
        window.until(lambda: not window.says("Key not accepted"), "the end of the group")
        self.assertIn(("POST", f"/projects/{gateway.project_id}/retry", {"code": "auth"}),
                      gateway.calls)
        # The timeouts are of two: only those of the one are tried again.
        window.press("Retry 3")
        window.until(lambda: not window.says("Timed out · OpenAI"), "the end of the group")
        window.wait_row("slow other", "Failed")
        self.assertEqual(len([call for call in gateway.calls if call[1].startswith("/tasks/")]), 3)
        gateway.add("late", "failed", ago=1, took=1, provider="hunyuan",
                    error={"code": "timeout", "message": "no answer"})
        window.wait_words("Timed out · Tencent Hunyuan (2)")

    def test_retry_with_another_provider(self):
        gateway, window = self.open_failed()
        window.open_menu(lambda: window.wait_row("refused 1", "Failed"), "Retry With",
                         "Tencent Hunyuan")
        window.wait_row("refused 1", "Queued")
        # A provider that has named its models is asked for one of them.
        window.open_menu(lambda: window.wait_row("refused 0", "Failed"), "Retry With", "OpenAI",
                         "gpt-4o-mini")
        window.wait_row("refused 0", "Queued")
        # What is only in the catalogue cannot do anything.
        window.open_menu(lambda: window.wait_row("slow 0", "Failed"), "Retry With")
        self.assertFalse(window.find("menu item", "DeepSeek"))
        calls = [call for call in gateway.calls if call[1].endswith("/retry")]
        self.assertEqual([call[2] for call in calls],
                         [{"provider": "hunyuan"}, {"provider": "openai", "model": "gpt-4o-mini"}])

    def test_what_waits_for_a_person_says_so(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.providers = providers()
        gateway.providers[1]["waiting"] = {"reason": "auth", "until": None}
        for number in range(2):
            gateway.add(f"stuck {number}", provider="openai",
                        waiting={"reason": "auth", "until": None})
        window = self.open("--gateway", gateway.uri)
        window.wait_words("Key not accepted · OpenAI (2)", "Change Key…")
        window.wait_button("Change Key…")

    def open_refused(self, **members):
        """A provider whose key is refused, beside one that works."""
        mock = self.mock(providers={"bad": {"always": {"do": "unauthorized"}},
                                    "good": {"latency": 600, "ghosts": False}})
        return self.open(config=self.lanes(mock, bad={"max-concurrency": 1},
                                           good={"max-concurrency": 1}), **members)

    def test_all_that_wait_for_a_key_say_so_and_go_to_another_provider(self):
        window = self.open_refused()
        window.wait_words("Built-in gateway")
        window.open_choice()
        window.activate_choice("bad")
        window.run_lines(*[f"task {i}" for i in range(5)])
        # One call was refused; what it was refused for, all of them wait for.
        window.wait_words("Key not accepted · bad (5)")
        for i in range(5):
            window.wait_row(f"task {i}", "Waiting", "key not accepted")
        window.pick("task 4")
        window.wait_words("Waiting: the key was not accepted by bad. Change it")
        window.wait_button("Change Key…")
        window.click_until(lambda: window.wait_button("Use Another Provider"),
                           lambda: window.find("menu item", "good"), "the other providers")
        self.assertFalse(window.find("menu item", "bad"))
        window.choose("good")
        window.wait_row("task 4", "Running")
        window.wait_words("Key not accepted · bad (4)")

    def test_a_provider_that_drops_out_is_told_while_others_go_on(self):
        window = self.open_refused()
        window.wait_words("Built-in gateway")
        window.run_lines("one", "two", "three")
        window.wait_words("The key of bad was not accepted. Other providers do the tasks.")
        window.wait_button("Change Key…")


def table_of_keys():
    """(action, X key) of every verb that has keys, from the table itself."""
    path = os.path.join(desktop.HERE, "..", "..", "src", "ui", "gw-verbs.c")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    keys = []
    for action, rest in re.findall(r'\{ "([^"]+)", N_[^}]*?\{ ([^}]*) \} \}', text, re.DOTALL):
        for accel in re.findall(r'"([^"]+)"', rest):
            key = (accel.replace("<Control>", "ctrl+").replace("<Shift>", "shift+")
                   .replace("<Alt>", "alt+"))
            keys.append((action, key))
    return keys


class Keys(desktop.Case):
    # What a key brings up, where it is more than a change of the list; all closed by Escape.
    SHOWS = {"win.help": "Run One Task", "win.show-help-overlay": "Keyboard", "app.help": "Help",
             "win.save::all": "Save Results", "win.save-selection": "Save Selection",
             "win.import": "Import", "win.preferences": "Preferences"}
    ENDS = {"win.close", "app.quit"}

    def windows(self, window):
        return window.app.count_children()

    def test_each_key_of_the_table_is_bound_and_breaks_nothing(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("done", "completed", result="yes", ago=9, took=1, provider="openai")
        gateway.add("bad", "failed", ago=8, took=1, provider="openai",
                    error={"code": "timeout", "message": "no answer"})
        gateway.add("runs", "running", ago=3, provider="openai")
        window = self.open("--gateway", gateway.uri)
        window.wait_row("done", "Completed")
        keys = [entry for entry in table_of_keys() if entry[0] not in self.ENDS]
        self.assertGreater(len(keys), 25)
        before = self.windows(window)
        for action, key in keys:
            window.pick("done")
            window.key(key)
            if action in self.SHOWS:
                window.until(lambda: self.windows(window) > before, f"{key}: {action}")
            window.key("alt+1") if self.windows(window) == before else None
            for _ in range(4):
                if self.windows(window) == before:
                    break
                window.key("Escape")
                end = time.monotonic() + 10
                while self.windows(window) != before and time.monotonic() < end:
                    time.sleep(0.05)
            self.assertEqual(self.windows(window), before, f"{key}: {action} stays open")
            self.assertTrue(window.running(), f"{key}: {action}")
        paths = [call[1].rpartition("/")[2] for call in gateway.calls]
        # Delete, Ctrl+Z and Ctrl+Shift+Z did what they say, in the order of the table.
        self.assertEqual([path for path in paths if path in ("remove", "restore")],
                         ["remove", "restore", "remove"])
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)


    def focused(self, window, role, name):
        for node in desktop.nodes(window.find(role, name)):
            if node.had_state(desktop.StateType.FOCUSED):
                return True
        return False

    def open_four(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        project = gateway.add_project("Four", running=1, queued=1, completed=1, failed=1)
        gateway.add("done", "completed", result="yes", ago=9, took=1, project=project)
        gateway.add("bad", "failed", ago=8, took=1, project=project,
                    error={"code": "timeout", "message": "no answer"})
        gateway.add("runs", "running", ago=3, project=project)
        gateway.add("waits", project=project)
        window = self.open("--gateway", gateway.uri)
        window.wait_rows(4)
        return gateway, window

    def called(self, window, gateway, method, end):
        window.until(lambda: [call for call in gateway.calls
                              if call[0] == method and call[1].endswith(end)], f"{method} …{end}")

    def test_what_the_keys_of_the_list_do(self):
        _gateway, window = self.open_four()
        for key, status in (("2", "Queued"), ("3", "Running"), ("4", "Completed"), ("5", "Failed")):
            window.key("alt+" + key)
            window.until(lambda s=status: len(window.row_names()) == 1
                         and s in window.row_names()[0], f"only what is {status}")
        window.key("alt+1")
        window.wait_rows(4)
        window.pick("bad")
        window.key("alt+Down")
        window.until(lambda: window.selected() == ["runs"], "the next task")
        window.key("alt+Up", "alt+Up")
        window.until(lambda: window.selected() == ["done"], "the one before")
        window.key("ctrl+c")
        window.wait_words("Result copied")
        window.key("ctrl+shift+c")
        window.wait_words("Task copied")
        window.key("ctrl+a")
        window.until(lambda: len(window.selected()) == 4, "all selected")
        window.key("ctrl+shift+a")
        window.until(lambda: not window.selected(), "none selected")
        window.key("ctrl+f")
        window.until(lambda: self.focused(window, "entry", "Search tasks"), "the search")
        window.key("Escape")
        window.until(lambda: not self.focused(window, "entry", "Search tasks"), "its end")
        window.key("ctrl+n")
        window.until(lambda: desktop.has_state(window.composer(), desktop.StateType.FOCUSED),
                     "the cursor in the task")
        self.clipboard("pasted")
        window.key("ctrl+shift+v")
        window.wait_typed("pasted")

    def test_what_the_keys_of_tasks_do(self):
        gateway, window = self.open_four()
        # Nothing to run, nothing to try again: these keys do nothing.
        window.key("ctrl+Return")
        window.pick("done")
        window.key("ctrl+r")
        window.pick("bad")
        self.assertEqual(gateway.calls, [])
        window.key("ctrl+r")
        window.wait_row("bad", "Queued")
        window.pick("runs")
        window.key("ctrl+k")
        window.wait_row("runs", "Cancelled")
        self.assertEqual([call[0] for call in gateway.calls], ["POST", "DELETE"])
        gateway.add("bad again", "failed", ago=8, took=1, project=next(iter(gateway.projects)),
                    error={"code": "timeout", "message": "no answer"})
        window.wait_row("bad again", "Failed")
        window.key("ctrl+shift+r")
        window.wait_row("bad again", "Queued")
        window.key("ctrl+shift+p")
        self.called(window, gateway, "POST", "/pause")
        for key in ("Return", "KP_Enter"):
            window.type_task("typed for " + key)
            window.key("ctrl+" + key)
            window.wait_row("typed for " + key, "Queued")
            window.wait_typed("")


class Copies(desktop.Case):
    def test_a_selection_is_copied_whole(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        long = "long " * 100
        gateway.add("ask one " + long, "completed", result="answer one", ago=3, took=1)
        gateway.add("ask two", "completed", result="answer two", ago=3, took=1)
        gateway.add("ask three", "failed", ago=3, took=1,
                    error={"code": "server", "message": "HTTP 500"})
        window = self.open("--gateway", gateway.uri)
        window.pick("ask one")
        window.key("ctrl+a")
        window.key("ctrl+c")
        window.wait_words("2 results copied")
        self.assertEqual(clipboard(window), "answer one\n\nanswer two")
        window.key("ctrl+shift+c")
        window.wait_words("3 tasks copied")
        self.assertEqual(clipboard(window), "ask one " + long + "\n\nanswer one\n\n---\n\n"
                         "ask two\n\nanswer two\n\n---\n\nask three")


if __name__ == "__main__":
    desktop.main()
