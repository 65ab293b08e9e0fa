#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results into files: all, some, in the format that the name asks for, and by themselves as they
come; and what is said when a place does not take them."""

import csv
import json
import os

import desktop
import frame
from desktop import StateType


class Save(desktop.Case):
    def save_as(self, window, path):
        """Answers the file chooser: GTK's own, for there is no portal here."""
        entry = window.wait_node("text", "Name", lambda node: desktop.has_state(
            node, StateType.EDITABLE))
        entry.set_text(path)
        window.press("_Save")

    def open_done(self):
        window = self.open()
        window.type_task("one\ntwo\n三")
        window.press("Add as 3 Tasks")
        window.press("_Run 3")
        for task in ("one", "two", "三"):
            window.wait_row(task, "Completed")
        return window

    def test_all_are_saved_in_the_format_of_the_name(self):
        window = self.open_done()
        path = os.path.join(self.home.path, "out.json")
        window.key("ctrl+s")
        self.save_as(window, path)
        window.wait_words("Saved to out.json")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("三", text, "not escaped")
        self.assertEqual([task["result"] for task in json.loads(text)], ["one", "two", "三"])

        table = os.path.join(self.home.path, "out.csv")
        window.key("ctrl+s")
        self.save_as(window, table)
        window.wait_words("Saved to out.csv")
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["content"] for row in rows], ["one", "two", "三"])

        # Only what is selected, in input order.
        window.pick("三")
        some = os.path.join(self.home.path, "some.jsonl")
        window.key("ctrl+shift+s")
        self.save_as(window, some)
        window.wait_words("Saved to some.jsonl")
        with open(some, encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["content"] for line in file], ["三"])

    def test_a_place_that_takes_nothing_is_said_and_another_one_chosen(self):
        window = self.open_done()
        window.key("ctrl+s")
        self.save_as(window, "/proc/out.md")
        window.wait_words("Results Not Saved")
        window.press("Choose Another Place")
        path = os.path.join(self.home.path, "out.md")
        self.save_as(window, path)
        window.wait_words("Saved to out.md")
        with open(path, encoding="utf-8") as file:
            self.assertIn("三", file.read())


class ByThemselves(desktop.Case):
    def test_results_are_saved_as_they_come_and_no_other_file_is_touched(self):
        folder = os.path.join(self.home.path, "answers")
        os.mkdir(folder)
        foreign = os.path.join(folder, "Quick Tasks.jsonl")
        with open(foreign, "w", encoding="utf-8") as file:
            file.write("mine\n")
        self.home.file("config/glib-2.0/settings/keyfile",
                       "[io/github/gangway/Gangway]\n"
                       f"autosave-folder='{folder}'\nautosave-format='jsonl'\n")
        window = self.open()
        path = os.path.join(folder, "Quick Tasks (2).jsonl")

        def saved():
            try:
                with open(path, encoding="utf-8") as file:
                    return [json.loads(line)["content"] for line in file]
            except FileNotFoundError:
                return []
        window.run_task("one")
        frame.wait_for(lambda: saved() == ["one"], "the first file")
        window.run_task("two")
        frame.wait_for(lambda: saved() == ["one", "two"], "the second task in it")
        with open(foreign, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine\n")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        # After the next start it is still known for ours.
        again = self.open()
        again.run_task("three")
        frame.wait_for(lambda: saved() == ["one", "two", "three"], "the third task in it")
        self.assertEqual(sorted(os.listdir(folder)),
                         ["Quick Tasks (2).jsonl", "Quick Tasks.jsonl"])


if __name__ == "__main__":
    desktop.main()
