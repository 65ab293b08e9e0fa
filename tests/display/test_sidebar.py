#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the projects: choosing, renaming, pausing, removing, the history and what the
next start restores."""

import desktop
import frame
from fake_gateway import FakeGateway


class Sidebar(desktop.Case):
    def project(self, daemon, name, *tasks, **members):
        return daemon.ok("POST", "/tasks/batch",
                         {"tasks": list(tasks), "project": name, **members})["project_id"]

    def paused_project(self, daemon, name, *tasks):
        return self.project(daemon, name, *tasks, paused=True)

    def open_wide(self, daemon):
        """A window in which the sidebar stands beside the list and a task that is read."""
        return self.open_wide_at(daemon.url)

    def open_wide_at(self, uri):
        self.home.file("config/glib-2.0/settings/keyfile",
                       "[io/github/gangway/Gangway]\nwindow-width=1240\n")
        return self.open("--gateway", uri)

    def item(self, window, *parts):
        """The row of the sidebar whose name has all @parts."""
        def look():
            for node in desktop.nodes(window.app):
                if desktop.role_of(node) == "list item" and all(
                        part in desktop.name_of(node) for part in parts):
                    return node
            return None
        return window.until(look, f"a project with {parts}")

    def items(self, window):
        return [desktop.name_of(node) for node in desktop.nodes(window.app)
                if desktop.role_of(node) == "list item"]

    def gone(self, window, name):
        window.until(lambda: not any(name in item for item in self.items(window)),
                     f"no project {name!r}")

    def names(self, window):
        return [name.split(",")[0] for name in window.row_names()]

    def menu(self, window, verb, *parts):
        window.open_menu(lambda: self.item(window, *parts), verb)

    def choose(self, window, tasks, *parts):
        """Chooses the project whose row has all @parts; its @tasks are shown then."""
        window.click_until(lambda: self.item(window, *parts),
                           lambda: self.names(window) == tasks, f"the tasks {tasks}")

    def test_choose_add_rename_and_hide(self):
        daemon = self.daemon()
        self.project(daemon, "Fruit", "apple", "pear")
        animals = self.project(daemon, "Animals", "cat")
        window = self.open_wide(daemon)
        self.item(window, "All Tasks")
        self.item(window, "Quick Tasks")
        self.choose(window, ["apple", "pear"], "Fruit", "2 tasks")
        window.until(lambda: window.find("label", "Fruit"), "its name in the header")

        # What is typed now goes into it.
        window.run_task("plum")
        self.item(window, "Fruit", "3 tasks")
        window.until(lambda: self.names(window) == ["apple", "pear", "plum"], "the new one")

        # A name that is taken is said in place, and another can be given.
        window.key("F2")
        window.set_entry("Name of the Project", "Animals")
        window.press("_Rename")
        window.wait_words("Another project has this name")
        window.set_entry("Name of the Project", "Berries")
        window.press("_Rename")
        self.item(window, "Berries", "3 tasks")
        self.gone(window, "Fruit")
        frame.wait_for(lambda: "Berries" in [p["name"] for p in
                                             daemon.ok("GET", "/projects")["projects"]],
                       "the new name at the gateway")

        # Somebody else removes what is shown: all tasks are shown again.
        self.choose(window, ["cat"], "Animals")
        daemon.ok("DELETE", f"/projects/{animals}")
        window.until(lambda: self.names(window) == ["apple", "pear", "plum"], "all tasks")

        window.key("F8")
        window.until(lambda: not self.items(window), "no sidebar")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        again = self.open("--gateway", daemon.url)
        again.wait_row("apple")
        self.assertEqual(self.items(again), [], "it stays hidden")
        again.key("F8")
        self.item(again, "Berries")

    def test_a_project_that_waits_for_a_key_says_so(self):
        for reason, act in (("auth", "Change Key…"), ("no-key", "Add Key…")):
            gateway = FakeGateway().start()
            self.addCleanup(gateway.stop)
            gateway.providers = [{"name": "openai", "title": "OpenAI", "in_use": True,
                                  "usable": reason == "auth", "model": "gpt-4o",
                                  "waiting": {"reason": reason, "until": None}}]
            stuck = gateway.add_project("Stuck", queued=2)
            gateway.add_project("Done", completed=1)
            for number in range(2):
                gateway.add(f"stuck {number}", project=stuck, provider="openai",
                            waiting={"reason": reason, "until": None})
            window = self.open_wide_at(gateway.uri)
            self.item(window, "Stuck", "0 of 2", "waiting")
            window.wait_row("stuck 0", "Waiting")
            window.wait_button(act)
            # The one that is read offers the same.
            window.pick("stuck 0")
            window.until(lambda a=act: sum(a in desktop.name_of(node)
                                           for node in desktop.nodes(window.app)
                                           if desktop.role_of(node) == "push button") == 2,
                         "the act beside the task")
            window.key("ctrl+q")
            self.assertEqual(window.wait(), 0)

    def test_token_limit(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        id_ = gateway.add_project("Chapters", completed=1, queued=1)
        gateway.projects[id_]["usage"] = {"total_tokens": 1200}
        gateway.add("one", "completed", result="yes", ago=9, took=1, project=id_)
        gateway.add("two", project=id_)
        window = self.open("--gateway", gateway.uri)
        window.click_until(lambda: self.item(window, "Chapters"),
                           lambda: window.find("label", "Chapters"), "its name in the header")
        self.menu(window, "Token Limit", "Chapters")
        window.wait_words("So far: 1200 tokens.")
        for wrong in ("0", "1.5", "1 0000", ",100"):
            window.set_entry("Token Limit of the Project", wrong)
            self.assertFalse(desktop.has_state(window.wait_node("push button", "_Set"),
                                               desktop.StateType.SENSITIVE), wrong)
        window.set_entry("Token Limit of the Project", "2 000")
        window.press("_Set")
        window.until(lambda: ("PATCH", f"/projects/{id_}", {"token_limit": 2000}) in gateway.calls,
                     "the call")
        # It is reached: said, and with a higher one the project goes on.
        with gateway.changed:
            gateway.revision += 1
            gateway.projects[id_].update(usage={"total_tokens": 2100}, paused=True,
                                         revision=gateway.revision)
            gateway.changed.notify_all()
        window.wait_words("The token limit is reached: 2100 of 2000 tokens are used.")
        self.item(window, "Chapters", "token limit reached")
        window.press("Change _Limit…")
        window.set_entry("Token Limit of the Project", "3000")
        window.press("_Set")
        window.until(lambda: not window.says("The token limit is reached"), "the end of the banner")
        self.assertEqual(gateway.calls[-1],
                         ("PATCH", f"/projects/{id_}", {"token_limit": 3000, "paused": False}))
        # Or without one: to resume it alone would change nothing.
        with gateway.changed:
            gateway.revision += 1
            gateway.projects[id_].update(usage={"total_tokens": 3100}, paused=True,
                                         revision=gateway.revision)
            gateway.changed.notify_all()
        window.wait_words("The token limit is reached: 3100 of 3000 tokens are used.")
        window.press("_Resume Without Limit")
        window.until(lambda: ("PATCH", f"/projects/{id_}", {"paused": False, "token_limit": None})
                     in gateway.calls, "the call")

    def test_remove_undo_and_what_the_next_start_shows(self):
        daemon = self.daemon()
        self.project(daemon, "Keep", "one", "two")
        removed = self.paused_project(daemon, "Drop", "three", "four")
        window = self.open("--gateway", daemon.url)
        self.menu(window, "Remove", "Drop", "0 of 2", "paused")
        self.gone(window, "Drop")
        window.wait_words("“Drop” removed")
        window.until(lambda: self.names(window) == ["one", "two"], "no tasks of it either")
        # It is still there, for the time it can be taken back.
        self.assertEqual(daemon.ok("GET", f"/projects/{removed}")["name"], "Drop")
        window.press("Undo")
        self.item(window, "Drop")
        window.until(lambda: len(self.names(window)) == 4, "all tasks again")

        self.menu(window, "Remove", "Drop")
        self.gone(window, "Drop")
        window.click_until(lambda: self.item(window, "Keep"),
                           lambda: window.find("label", "Keep") and window.says("All 2"),
                           "its tasks, and its name in the header")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        # The window has closed: now it is gone.
        frame.wait_for(lambda: daemon.request("GET", f"/projects/{removed}").status_code == 404,
                       "the end of the project")

        again = self.open("--gateway", daemon.url)
        again.until(lambda: again.find("label", "Keep") and self.names(again) == ["one", "two"],
                    "what was shown last")

    def test_what_is_being_removed_is_neither_counted_nor_run(self):
        daemon = self.daemon()
        keep = self.paused_project(daemon, "Keep", "one", "two")
        drop = self.paused_project(daemon, "Drop", "three", "four", "five")
        window = self.open("--gateway", daemon.url)
        self.item(window, "All Tasks", "5")
        window.wait_button("_Run 5")
        self.menu(window, "Remove", "Drop")
        window.press("Undo")
        self.item(window, "Drop")
        window.wait_button("_Run 5")
        # Done again, it can be taken back by the new toast's own button.
        window.key("ctrl+shift+z")
        self.gone(window, "Drop")
        window.press("Undo")
        self.item(window, "Drop")

        self.menu(window, "Remove", "Drop")
        self.gone(window, "Drop")
        window.wait_button("_Run 2")
        self.item(window, "All Tasks", "2")
        window.wait_words("All 2")
        window.press("_Run 2")
        frame.wait_for(lambda: daemon.ok("GET", f"/projects/{keep}")["counts"]["completed"] == 2,
                       "the end of the other project")
        window.wait_words("2 completed")
        # It waits for its end, or has come to it; nothing of it has been run.
        answer = daemon.request("GET", f"/projects/{drop}")
        self.assertTrue(answer.status_code == 404 or answer.json()["counts"]["queued"] == 3,
                        answer.text)

    def test_what_is_removed_goes_also_where_its_toast_has_made_room(self):
        daemon = self.daemon()
        self.project(daemon, "Keep", "one", "two")
        drop = self.paused_project(daemon, "Drop", "three")
        window = self.open("--gateway", daemon.url)
        self.choose(window, ["one", "two"], "Keep")
        self.menu(window, "Remove", "Drop")
        self.gone(window, "Drop")
        window.pick("one")
        window.key("Delete")
        window.wait_words("1 task removed")
        self.assertFalse(window.says("“Drop” removed"))
        frame.wait_for(lambda: daemon.request("GET", f"/projects/{drop}").status_code == 404,
                       "the end of the project")

    def test_what_runs_is_stopped_before_it_is_removed(self):
        mock = self.mock(providers={"slow": {"latency": 600, "ghosts": False}})
        daemon = self.daemon(config=self.lanes(mock, slow={"max-concurrency": 1}))
        project = self.project(daemon, "Endless", "first", "second", concurrency=1)
        window = self.open("--gateway", daemon.url)
        self.menu(window, "Pause", "Endless", "0 of 2", "running")
        self.item(window, "Endless", "paused")
        self.menu(window, "Remove", "Endless")
        window.wait_words("“Endless” Is Not Finished", "1 task is running.")
        window.press("Cancel")
        window.until(lambda: not window.says("Is Not Finished"), "the end of the question")
        self.assertEqual(daemon.ok("GET", f"/projects/{project}")["counts"]["running"], 1)
        self.menu(window, "Remove", "Endless")
        window.press("Stop and Remove")
        window.until(lambda: not window.says("Is Not Finished"), "the end of the question")
        self.gone(window, "Endless")
        window.wait_words("“Endless” removed")
        # The next removal makes this one final.
        self.project(daemon, "Next", "third", paused=True)
        self.menu(window, "Remove", "Next")
        frame.wait_for(lambda: daemon.request("GET", f"/projects/{project}").status_code == 404,
                       "the end of the first")

    def test_each_project_keeps_what_was_read_in_it(self):
        daemon = self.daemon()
        self.project(daemon, "Fruit", "apple", "pear")
        self.project(daemon, "Animals", "cat", "dog")
        window = self.open_wide(daemon)
        self.choose(window, ["apple", "pear"], "Fruit")
        window.pick("pear")
        window.wait_button("Copy Task")
        self.choose(window, ["cat", "dog"], "Animals")
        # Nothing of another project is still open.
        self.assertEqual(window.selected(), [])
        window.until(lambda: not window.find("push button", "Copy Task"), "no task that is read")
        window.pick("dog")
        self.choose(window, ["apple", "pear"], "Fruit")
        window.until(lambda: window.selected() == ["pear"], "the task that was read there")

    def test_what_is_typed_goes_where_it_says(self):
        daemon = self.daemon()
        self.project(daemon, "Fruit", "apple")
        window = self.open_wide(daemon)
        window.wait_row("apple")
        window.until(lambda: window.find(None, "New tasks go to: Quick Tasks"), "where one goes")
        self.choose(window, ["apple"], "Fruit")
        window.until(lambda: window.find(None, "New tasks go to: In “Fruit”"), "where it goes")
        window.run_task("pear")
        window.until(lambda: self.names(window) == ["apple", "pear"], "it went there")
        # A filter that would hide what is new does not.
        window.key("alt+5")
        window.until(lambda: self.names(window) == [], "no failed ones")
        window.click_until(lambda: window.find("push button", "New tasks go to"),
                           lambda: window.find(None, "New Project", lambda node:
                                               "menu item" in desktop.role_of(node)),
                           "where else it can go")
        window.press_menu("New Project")
        window.until(lambda: window.find(None, "New tasks go to: New Project"), "the choice")
        window.run_task("cat")
        window.until(lambda: self.names(window) == ["cat"], "a project of its own")
        self.item(window, "cat", "1 task")

    def test_history_is_searched_and_deleted(self):
        daemon = self.daemon()
        self.project(daemon, "Greek letters", "alpha", "beta")
        self.project(daemon, "Roman letters", "a beta of another kind", "gamma")
        self.paused_project(daemon, "Open", "delta")
        window = self.open("--gateway", daemon.url)
        self.item(window, "Greek letters", "2 tasks")
        self.item(window, "Roman letters", "2 tasks")
        window.key("ctrl+h")
        self.item(window, "Today")
        self.gone(window, "Open")
        window.wait_words("kept until you remove them")

        # By name, and by what stands in tasks and results; a search finds what is open too.
        window.set_entry("Search in the history", "GAMMA")
        self.item(window, "Roman letters", "1 match")
        self.gone(window, "Greek letters")
        window.set_entry("Search in the history", "delta")
        self.item(window, "Open", "1 match")
        window.set_entry("Search in the history", "greek")
        self.item(window, "Greek letters")
        window.set_entry("Search in the history", "beta")
        self.item(window, "Greek letters", "1 match")
        self.choose(window, ["a beta of another kind"], "Roman letters", "1 match")
        window.set_entry("Search in the history", "nowhere to be found")
        window.wait_words("No Matches")
        window.set_entry("Search in the history", "")
        self.item(window, "Greek letters")

        window.click_until(lambda: window.wait_node("push button", "History Menu"),
                           lambda: window.find("menu item", "Delete All History"), "its menu")
        window.choose("Delete All History")
        window.wait_words("Delete All History?", "2 finished projects")
        window.press("Delete All")
        window.wait_words("No Finished Projects")
        frame.wait_for(lambda: [p["name"] for p in daemon.ok("GET", "/projects")["projects"]
                                if p["name"] != "default"] == ["Open"], "the one that is open")

    def test_a_task_that_is_read_takes_its_place(self):
        daemon = self.daemon()
        self.project(daemon, "Fruit", "apple", "pear")
        self.project(daemon, "Animals", "cat")
        window = self.open("--gateway", daemon.url)
        self.choose(window, ["apple", "pear"], "Fruit")
        # No room for three: the list is not squeezed.
        window.pick("pear")
        window.wait_button("Copy Task")
        window.until(lambda: not self.items(window), "no sidebar")
        # It comes over the list when it is wanted, and goes when something was chosen in it.
        window.key("F8")
        window.click(lambda: self.item(window, "Animals"))
        window.until(lambda: self.names(window) == ["cat"], "its tasks")
        # Nothing is read there yet: there is room for it again.
        window.until(lambda: not window.find("push button", "Copy Task"), "no task that is read")
        self.choose(window, ["apple", "pear"], "Fruit")
        window.wait_button("Copy Task")
        window.until(lambda: not self.items(window), "no sidebar beside what was read there")
        window.key("Escape")
        self.item(window, "Fruit")

    def test_narrow_and_without_projects(self):
        self.home.file("config/glib-2.0/settings/keyfile",
                       "[io/github/gangway/Gangway]\nwindow-width=360\nwindow-height=640\n")
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        project = gateway.add_project("Alone", completed=1)
        gateway.add("inside", "completed", result="yes", ago=2, took=1, project=project)
        gateway.add("outside", "completed", result="yes", ago=2, took=1)
        window = self.open("--gateway", gateway.uri)
        window.until(lambda: len(self.names(window)) == 2, "both tasks")
        self.assertEqual(self.items(window), [], "no room for it beside the list")
        window.key("F8")
        window.click(lambda: self.item(window, "Alone"))
        window.until(lambda: self.names(window) == ["inside"], "its task")
        window.until(lambda: not self.items(window), "it makes room by itself")


if __name__ == "__main__":
    desktop.main()
