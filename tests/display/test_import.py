#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys of files into the window: dropped, opened and chosen; what the preview says of them, and
what is in the queue in the end."""

import os

import desktop
from desktop import StateType

PEOPLE = ("text,language,page\n"
          "Good morning,French,1\n"
          ",German,2\n"
          "Thank you,Japanese,3\n"
          "one,two,three,four\n"
          "\"Two lines,\nand a comma\",Greek,4\n")


class Import(desktop.Case):
    def wait_dialog(self, window, *parts):
        window.wait_node("frame", "Import Tasks")
        window.wait_words(*parts)

    def wait_no_dialog(self, window):
        window.until(lambda: window.find("frame", "Import Tasks") is None, "the end of the dialog")

    def items(self, window):
        return [desktop.name_of(node) for node in desktop.nodes(window.app)
                if desktop.role_of(node) == "list item"]

    def entry(self, window, title):
        return window.wait_node("text", title,
                                lambda node: desktop.has_state(node, StateType.EDITABLE))

    def test_files_are_dropped_from_another_program(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        files = [self.home.file("eins 一.txt", "one\ntwo\n\ntwo\n"),
                 self.home.file("b.md", "first\n\nmore\n---\nsecond\n"),
                 self.home.file("c.jsonl", '"from json"\n{"nothing": 1}\n{"prompt": "asked"}\n'),
                 self.home.file("picture.png", "not really")]
        self.drag_files(window, *files, drop=False)
        # One of them is surely no text.
        window.wait_words("Drop to Import 3 Files")
        desktop.xdotool("mouseup", "1")
        self.wait_dialog(window, "4 files · 6 tasks", "Skip 1 duplicate", "2 Problems")
        window.until(lambda: len(self.items(window)) >= 7, "the rows")
        names = [name for name in self.items(window) if name[:1].isdigit()]
        self.assertEqual(names, ["1, one", "2, two", "3, first", "4, second", "5, from json",
                                 "6, asked"], "in the order of the drop")
        window.wait_words("Only text, Markdown, JSON, JSONL and CSV files can be imported")
        window.press("_Run 6")
        window.press("Details")
        window.wait_words("Not Imported", "c.jsonl, row 2:", "1 duplicate")
        window.press("_Close")
        for task in ("one", "two", "first", "second", "from json", "asked"):
            window.wait_row(task, "Completed")

    def test_a_wrong_file_is_refused_and_text_is_pasted(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        picture = self.home.file("photo.jpeg", "x")
        self.drag_files(window, picture, drop=False)
        window.wait_words("Only text, Markdown, JSON, JSONL and CSV files can be imported")
        desktop.xdotool("mouseup", "1")
        self.wait_no_dialog(window)
        self.assertEqual(self.start_again(picture), 0)
        window.wait_words("Only text, Markdown, JSON, JSONL and CSV files can be imported")
        self.assertEqual(self.start_again(os.path.join(self.home.path, "missing.txt")), 0)
        window.wait_words("“missing.txt” was not read")
        self.drag_files(window, text="dropped here\n")
        window.until(lambda: window.typed().strip() == "dropped here", "the text in its box")

    def test_a_table_with_a_template(self):
        daemon = self.daemon()
        table = self.home.file("people.csv", PEOPLE)
        window = self.open("--gateway", daemon.url, table)
        self.wait_dialog(window, "1 file · 3 tasks", "2 Problems", "Column “text”", "{language}")
        self.assertIn("Left out: Row 3: There is no “text”", self.items(window))
        entry = self.entry(window, "Wrap")
        entry.set_text("Translate {text} to {tongue}")
        window.wait_words("The template names {tongue}")
        self.assertFalse(desktop.has_state(window.wait_node("push button", "_Run"),
                                           StateType.SENSITIVE))
        entry.set_text("Translate {text} to {language}")
        window.until(lambda: "1, Translate Good morning to French" in self.items(window),
                     "the wrapped tasks")
        # A table's row without its task is one with another column's value: it is wrapped as well.
        window.press("_Add")
        self.wait_no_dialog(window)
        window.wait_words("added")
        project = [p for p in daemon.ok("GET", "/projects")["projects"] if p["name"] == "people"]
        self.assertEqual(len(project), 1)
        self.assertIs(project[0]["paused"], True, "adding never spends")
        results = daemon.ok("GET", f"/projects/{project[0]['project_id']}/results?format=json")
        self.assertEqual(results[0]["content"], "Translate Good morning to French")
        self.assertEqual(results[0]["metadata"]["page"], "1")
        self.assertEqual([task["attempts"] for task in results], [0] * len(results))

    def test_opened_by_a_second_start_unticked_and_cancelled(self):
        tasks = self.home.file("tasks.txt", "\ufeffalpha\r\n\r\nbeta\r\n")
        window = self.open(tasks)
        self.wait_dialog(window, "1 file · 2 tasks")
        # Files that come while it is open are added to it.
        table = self.home.file("table.csv", "question,language\nWhy?,en\nWarum?,de\n")
        self.assertEqual(self.start_again(table), 0)
        window.wait_words("2 files · 4 tasks")
        check = window.wait_node("check box", "Add this task")
        window.click(check)
        window.wait_words("3 of 4 _Tasks")
        window.press("_Run 3")
        self.wait_no_dialog(window)
        for task in ("beta", "Why?", "Warum?"):
            window.wait_row(task, "Completed")
        window.wait_rows(3)

        self.assertEqual(self.start_again(tasks), 0)
        self.wait_dialog(window, "1 file · 2 tasks")
        window.key("Escape")
        self.wait_no_dialog(window)
        window.wait_rows(3)

    def test_the_title_says_which_project_it_adds_to(self):
        window = self.open(self.home.file("animals.txt", "cat\ndog\n"))
        self.wait_dialog(window, "1 file · 2 tasks")
        window.press("_Run 2")
        self.wait_no_dialog(window)
        window.wait_row("dog", "Completed")
        # What is shown is what is added to, and its name is not in view.
        self.assertEqual(self.start_again(self.home.file("plants.txt", "fern\n")), 0)
        self.wait_dialog(window, "1 file · 1 task · to “animals”")
        self.entry(window, "Name").set_text("plants")
        window.until(lambda: not window.says("to “animals”"), "a project of its own")

    def test_a_gateway_that_goes_keeps_the_dialog(self):
        daemon = self.daemon()
        lines = "".join(f"task {n}\n" for n in range(12000))
        window = self.open("--gateway", daemon.url, self.home.file("many.txt", lines))
        self.wait_dialog(window, "12000 tasks", "About", "input tokens")
        daemon.kill()
        window.wait_words("Can’t reach the gateway")
        self.assertFalse(desktop.has_state(window.wait_node("push button", "_Run 12000"),
                                           StateType.SENSITIVE))
        again = self.daemon(port=daemon.port)
        window.wait_button("_Run 12000")
        window.press("_Add")
        self.wait_no_dialog(window)
        project = [p for p in again.ok("GET", "/projects")["projects"] if p["name"] == "many"]
        self.assertEqual(project[0]["counts"]["queued"], 12000)
        self.assertIs(project[0]["paused"], True)

    def test_options_of_the_running_window_are_not_changed_silently(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        second = self.keep(desktop.Window(self.home, ["--data-dir", self.home.path + "/other"]))
        self.assertEqual(second.wait(), 2)
        self.assertIn("open already", second.stderr)


class Folder(desktop.Case):
    def test_a_folder_of_a_thousand_files(self):
        for i in range(1000):
            self.home.file(f"many/{i:04}.txt", f"task {i}\n")
        window = self.open(os.path.join(self.home.path, "many"))
        # Choices are shown for the first ones only; tasks come of all.
        window.wait_words("950 more files", "1000 tasks")


if __name__ == "__main__":
    desktop.main()
