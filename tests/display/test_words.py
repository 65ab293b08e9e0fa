#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks through the window in a language that nobody speaks (pseudo.py) and fails for every text that
has Latin letters all the same, and for every control that a screen reader would have no name for."""

import os
import re
import shutil
import subprocess
import tempfile
import time

import desktop
import frame
import pseudo
from accessible import texts
from desktop import StateType, has_state, name_of, nodes, role_of, text_of
from fake_gateway import FakeGateway, iso
from pseudo import pseudo as say

# Names of things, and what the toolkit says itself: it has no translation into a language of ours.
NAMES = [
    # Days are the locale's, not the language's.
    r"\b\d+ (January|February|March|April|May|June|July|August|September|October|November|"
    r"December)\b",
    r"(?<=[甲乙丙])\.(txt|csv|jsonl)", r"https?://\S+", r"127\.0\.0\.1:\d+", r"\{\w+\}",
    r"\b(Gangway|JSON|JSONL|JSON Lines|CSV|TSV|Markdown|UTF-8|OpenAI|Redis|MiB|KiB|kB|MB)\b",
    r"\b(Ctrl|Alt|Shift|Super|Tab|Escape|Delete|Return|Enter|Space|Home|End|Insert|Menu|Page Up|"
    r"Page Down|Up|Down|Left|Right|F\d+|[A-Z])\b(?=[+ ]|$)",
]
TOOLKIT = {
    # Buttons and parts of windows, dialogs and fields of GTK and libadwaita.
    "Close", "Minimize", "Maximize", "Back", "GtkImage", "Shortcuts", "Search Shortcuts",
    "Search Results", "Show All", "No Results Found", "Try a different search", "Two Fingers",
    "shortcuts", "menu", "Increase", "Decrease", "Clear", "Clear Entry", "Show Text", "Hide Text",
    "Show Password", "Apply", "Edit", "Discard", "Close the window", "Maximize the window",
    "Minimize the window", "Restore the window", "(None)", "Search", "Try a different search.",
}
# What GTK 4.8 gives for a name where there is none: that of the class.
CLASS = re.compile(r"(Gtk|Adw|Gw|Gdk)[A-Z]\w+$")
NAMED_ROLES = {
    "push button", "toggle button", "check box", "radio button", "switch", "text", "entry",
    "password text", "spin button", "slider", "combo box", "list item", "table row", "link",
    "menu item", "check menu item", "radio menu item", "page tab", "table", "tree table",
}
TASKS = ["用三句话总结第一章", "把“大家早上好”翻译成法语", "写一个标题", "取三个名字", "解释天空为什么是蓝色的",
         "列出五个问题", "整理成纪要", "找出三个论点", "写一首俳句", "缩短到一半", "按成本排序", "描述照片"]


def part_of(text):
    """The longest piece of @text, in that language, that nothing is filled into."""
    return max(re.split(r"%(?:\d+\$)?[a-z]|[⟦⟧]| ~", say(text)), key=len).strip()


# Where the letters of one word come from several fonts, as here, GTK 4.8 says of a label that it could
# be narrower than it can.
desktop.TOOLKIT_SAID = re.compile(
    desktop.TOOLKIT_SAID.pattern + r"(?! GtkLabel \S+ reports a minimum width of)")


class Words(desktop.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="gangway-words-")
        pseudo.write_catalogue(cls.folder)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        super().setUp()
        self.faults = set()

    def open_foreign(self, *arguments, config=None, env=None):
        return self.open(*arguments, config=config, env={
            "LANGUAGE": pseudo.LANGUAGE, "GANGWAY_LOCALEDIR": self.folder, **(env or {})})

    def look(self, window, view, controls=True):
        """Notes what is wrong with what can be seen now; without @controls not what has no name, in
        windows that the toolkit made."""
        shown = nodes(window.app)
        for node, said in zip(shown, texts(shown)):
            role, name = role_of(node), CLASS.sub("", node.name)
            if role in ("application", "unknown", "invalid", ""):
                continue
            for kind, text in (("name", name), ("description", node.description), ("text", said)):
                if text in TOOLKIT or not text:
                    continue
                if role == "text" and kind == "text" and node.had_state(StateType.EDITABLE):
                    continue  # what the user types
                if pseudo.is_foreign(text, NAMES):
                    self.faults.add(f"{view}: {kind} of {role}: {text!r}")
            if controls and role in NAMED_ROLES and not name and not name_of(node) \
                    and node.had_state(StateType.FOCUSABLE) and not self.inside(node):
                within = [inner.name for inner in nodes(node)][1:]
                self.faults.add(f"{view}: a {role} without a name, with {within}, under "
                                f"{self.above(node)}")

    def inside(self, node):
        """Whether it is a part of a control of the toolkit, which has the name."""
        role, parent = role_of(node), node.parent
        if parent is None or role_of(parent) == "tree table" \
                or node.description in TOOLKIT or self.is_search_of_preferences(node):
            return True
        while parent is not None:
            around = role_of(parent)
            if around == "combo box" or (role, around) in (
                    ("list item", "list item"), ("push button", "push button"),
                    ("push button", "text")) and not CLASS.match(parent.name):
                return True
            parent = parent.parent
        return False

    @staticmethod
    def is_search_of_preferences(node):
        """Their window brings a field of its own; all of ours there stand in rows."""
        around = []
        while node is not None:
            around.append(node)
            node = node.parent
        return role_of(around[0]) == "entry" \
            and not any(role_of(one) == "list item" for one in around) \
            and any(role_of(one) == "page tab" for one in nodes(around[-2]))

    def above(self, node):
        names = []
        for _ in range(4):
            node = node.parent
            if node is None:
                break
            names.append(f"{role_of(node)} {node.name!r}")
        return " < ".join(names)

    def judge(self):
        self.assertEqual(sorted(self.faults), [], "\n".join(sorted(self.faults)))

    def gateway(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        return gateway

    def wait_said(self, window, text):
        part = part_of(text)
        window.until(lambda: any(part in words for words in window.words()), text)

    def composer(self, window):
        return window.wait_node("text", None, lambda node: name_of(node) == say("Task")
                                and has_state(node, StateType.EDITABLE))

    def fill(self, gateway):
        titles = {"甲": "甲", "乙": "乙", "丙": "丙"}
        gateway.providers = [
            {"name": name, "title": title, "in_use": True, "usable": True, "enabled": True,
             "max_concurrency": 5, "adapted_concurrency": 5, "requests_per_minute": 12,
             "waiting": None} for name, title in titles.items()]
        gateway.health = {"max_concurrency": 7, "oldest_queued_at": iso(time.time() - 41)}
        gateway.add_project("default", completed=3, failed=1)
        project = gateway.add_project("章节", completed=3, failed=2, running=1, queued=4)
        gateway.add_project("调查", paused=True, completed=210, failed=14, queued=776)
        for days, old in ((0, "文案"), (1, "纪要"), (400, "开始")):
            gateway.add_project(old, days_ago=days, completed=12 + days, failed=days)
        ids = [gateway.add(TASKS[0], "completed", result="# 一\n\n二 **三**\n\n```\n四\n```\n",
                           ago=30, took=3.2, model="星-1", provider="甲", project=project,
                           usage={"prompt_tokens": 96, "completion_tokens": 88,
                                  "total_tokens": 184})]
        ids.append(gateway.add(TASKS[1], "completed", result="五", ago=29, took=70, model="星-1",
                               provider="乙", project=project))
        errors = [("auth", "错误"), ("timeout", "超"), ("too-long", "长"), ("quota", "额")]
        for number, (code, message) in enumerate(errors):
            ids.append(gateway.add(TASKS[2 + number], "failed", ago=12, took=0.3, provider="丙",
                                   attempts=2, error={"code": code, "message": message}))
        ids.append(gateway.add(TASKS[6], "running", ago=4.4, provider="甲", project=project))
        gateway.add(TASKS[7], waiting={"reason": "window", "until": iso(time.time() + 99)})
        gateway.add(TASKS[8], waiting={"reason": "auth", "until": None})
        gateway.add(TASKS[9], "cancelled", ago=5)
        gateway.add(TASKS[10], uncertain=True)
        gateway.add(TASKS[11])
        gateway.attempt(ids[0], "answered", 30, 3.2, provider="甲", model="星-1")
        for outcome in ("failed", "late", "cancelled", "failed"):
            gateway.attempt(ids[2], outcome, 12, 0.3, provider="丙",
                            error={"code": "auth", "message": "错误"}, raw="原文")
        return ids

    def open_filled(self, **prefer):
        gateway = self.gateway()
        self.ids = self.fill(gateway)
        self.prefer(window_width=1240, window_height=780, **prefer)
        window = self.open_foreign("--gateway", gateway.uri)
        window.wait_row(TASKS[11])
        window.wait_node("list item", "调查")
        return window

    def test_main_window(self):
        window = self.open_filled()
        self.look(window, "list")
        for row in (0, 2, 5, 6, 7, 8):
            window.click(window.wait_row(TASKS[row]))
            self.wait_detail(window, TASKS[row])
            self.look(window, f"detail of row {row}")
        for node in [n for n in nodes(window.app) if role_of(n) == "push button"
                     and say("Details") in name_of(n)]:
            node.act()
        self.look(window, "details")
        for key in range(1, 8):
            window.key(f"alt+{key}")
            self.look(window, f"filter {key}")
        window.key("alt+1")
        window.click(window.rows()[0])
        window.type_keys("shift+Down", "shift+Down", "shift+Down")
        self.wait_said(window, "%u Tasks Selected")
        self.look(window, "several selected")
        self.judge()

    def wait_detail(self, window, text):
        """Until the detail shows the task of that text."""
        window.until(lambda: any(text_of(node) == text for node in nodes(window.app)
                                 if role_of(node) == "text"), f"the detail of {text}")

    def menu(self, window, view, open_it):
        open_it()
        window.wait_node("menu item", "⟦")
        self.look(window, view)
        window.type_keys("Escape")
        window.until(lambda: window.find("menu item", "⟦") is None, "no menu")

    def show_project(self, window, name):
        def shown():
            if has_state(window.wait_node("list item", name), StateType.SELECTED):
                return True
            # The click that closes a menu does nothing else.
            window.click(window.wait_node("list item", name))
            return False
        window.until(shown, f"the project {name}")

    def test_menus(self):
        window = self.open_filled()
        for name in ("Main Menu", "Add Tasks", "Save Results", "Task Menu"):
            if name == "Task Menu":
                window.click(window.rows()[2])
                self.wait_detail(window, TASKS[2])
            self.menu(window, name,
                      lambda n=name: window.click(window.wait_button(part_of(n))))
        self.menu(window, "menu of tasks", lambda: window.click(window.rows()[4], "3"))
        self.menu(window, "menu of a project",
                  lambda: window.click(window.wait_node("list item", "调查"), "3"))
        self.show_project(window, "调查")
        window.key("F2")
        self.wait_said(window, "Name of the Project")
        self.look(window, "rename")
        window.type_keys("Escape")
        window.key("ctrl+h")
        window.wait_node("list item", "开始")
        self.look(window, "history")
        self.menu(window, "history menu", lambda: window.click(
            window.wait_button(part_of("History Menu"))))
        self.judge()

    def test_search_and_removal(self):
        window = self.open_filled()
        window.key("ctrl+f")
        self.look(window, "search")
        window.set_entry(say("Search tasks and results"), "总结")
        self.wait_said(window, "%u found")
        self.look(window, "found")
        window.set_entry(say("Search tasks and results"), "没有这样的")
        self.wait_said(window, "No Results for “%s”")
        self.look(window, "nothing found")
        self.judge()

    def test_timeline(self):
        gateway = self.gateway()
        ids = self.fill(gateway)
        for number in range(12):
            gateway.add_attempt(ids[number % 6], "甲乙丙"[number % 3], number % 2,
                                48 - 3 * number, 0.1, 2.6, "failed" if number == 5 else "answered",
                                number + 1, {"code": "server", "message": "错"}
                                if number == 5 else None)
        for table in (False, True):
            self.prefer(window_width=1240, window_height=780, timeline_visible="true",
                        timeline_table="true" if table else "false")
            window = self.open_foreign("--gateway", gateway.uri)
            window.wait_row(TASKS[11])
            self.wait_said(window, "Run p50 %1$s · p95 %2$s")
            self.look(window, "timeline as a table" if table else "timeline")
            window.key("ctrl+q")
            window.wait()
        self.judge()

    def test_first_run(self):
        self.prefer(window_width=1240, window_height=780)
        window = self.open_foreign()
        self.wait_said(window, "Built-in gateway")
        self.look(window, "empty")
        for key, words, view in (("ctrl+comma", "Providers", "preferences"), ("F1", "Help", "help"),
                                 ("ctrl+question", "New task", "shortcuts")):
            window.key(key)
            self.wait_said(window, words)
            self.look(window, view, controls=view == "help")
            window.key("Escape")
        self.composer(window).set_text("甲\n乙\n丙\n丁")
        self.wait_said(window, "%u lines pasted")
        self.look(window, "pasted")
        window.press(part_of("_Keep as One"))
        window.key("ctrl+Return")
        window.wait_row("甲")
        window.click(window.rows()[0])
        self.wait_said(window, "Practice Answer")
        self.look(window, "practice")
        self.judge()

    def test_preferences(self):
        mock = self.mock(providers={"alpha": {"models": ["星-1", "星-2"]}})
        window = self.open_foreign(config=self.lanes(mock, alpha={"model": "星-1",
                                                                  "title": "甲"}))
        self.wait_said(window, "Built-in gateway")
        window.key("ctrl+comma")
        window.wait_words("甲")
        self.look(window, "providers")
        window.click(window.wait_node("list item", "甲"))
        self.wait_said(window, "Not tested yet")
        self.look(window, "provider")
        window.press(part_of("_Test"))
        self.wait_said(window, "%u models")
        self.look(window, "provider tested")
        window.key("Escape")
        window.press(part_of("_Add Provider").replace("_", ""))
        self.wait_said(window, "New Provider")
        self.look(window, "new provider")
        window.key("Escape")
        for page in ("Running", "Gateway", "Results"):
            window.wait_node("page tab", say(page)).act()
            self.look(window, f"preferences: {page}")
        self.judge()

    def test_import(self):
        gateway = self.gateway()
        self.fill(gateway)
        window = self.open_foreign(
            "--gateway", gateway.uri,
            self.home.file("甲.txt", "一\n二\n二\n三\n"),
            self.home.file("乙.csv", "文,语\n早,法\n,德\n谢,日\n"),
            self.home.file("丙.jsonl", '{"文": "四"}\n{"文": }\n'))
        self.wait_said(window, "%u Problem")
        self.look(window, "import")
        self.judge()

    def test_trouble(self):
        """What the window says when it cannot go on."""
        window = self.open_foreign("--gateway", f"http://127.0.0.1:{frame.free_port()}")
        self.wait_said(window, "Next try in %u seconds.")
        self.look(window, "unreachable")
        self.composer(window).set_text("甲")
        window.key("ctrl+Return")
        self.look(window, "not added")
        self.judge()

    def test_programs(self):
        env = {**self.home.env, "LC_ALL": "C.UTF-8", "LANGUAGE": pseudo.LANGUAGE,
               "GANGWAY_LOCALEDIR": self.folder}
        # GLib's own headings, and what is to be typed as it stands.
        allowed = [*NAMES, r"-{1,2}[a-z][a-z-]*=?", r"Usage:", r"Help Options:", r"Show help options",
                   r"\[OPTION…\]", r"Application Options:", r"gangway(-batch|d)?:?"]
        for program, options in (("gangway-batch", "--help"), ("gangwayd", "--help"),
                                 ("gangway-batch", "--split=x"), ("gangwayd", "--port=99999"),
                                 ("gangway-batch", "--resume=x --project=y"),
                                 ("gangwayd", "--no-workers --workers-only")):
            said = subprocess.run([os.path.join(frame.BUILD, "src", "tools", program),
                                   *options.split()], env=env, capture_output=True, text=True,
                                  check=False, timeout=frame.PATIENCE)
            text = said.stdout + said.stderr
            self.assertIn("⟦", text)
            for line in text.splitlines():
                if pseudo.is_foreign(line, allowed):
                    self.faults.add(f"{program} {options}: {line!r}")
        self.judge()

    def test_a_wrong_configuration(self):
        """Where it is wrong is one sentence, and what is wrong there one within it."""
        env = {**self.home.env, "LC_ALL": "C.UTF-8", "LANGUAGE": pseudo.LANGUAGE,
               "GANGWAY_LOCALEDIR": self.folder}
        provider = "[provider a]\nenabled=true\n"
        for text, line, names, sentences in (
                ("[gateway]\nport=70000\n", 2, "port", 2),
                ("[gateway]\nlisten=elsewhere\n", 2, "listen", 2),
                ("[queue]\nredis-url=x\n", 2, "redis-url", 2),
                ("[queue]\nredis-uri=http://x\n", 2, "redis-uri", 2),
                ("[workers]\nafter-crash=x\n", 2, "after-crash", 2),
                ("[worker]\n", 1, "worker", 2),
                ("port=1\n", 1, "port", 1),
                ("[gateway\n", 1, "gateway", 1),
                ("[gateway]\nport=1\nport=2\n", 3, "port", 1),
                (provider + "kind=magic\n", 3, "kind", 2),
                (provider + "stream=perhaps\nbase-url=http://127.0.0.1\n", 3, "stream", 2),
                (provider + "latency=soon\n", 3, "latency", 2),
                (provider + "base-url=ftp://x\n", 3, "base-url", 2),
                (provider + "base-url=http://example.com/v1\n", 3, "base-url", 2),
                (provider + "kind=command\n", 1, "command", 2)):
            path = self.home.file("wrong.conf", text)
            for program in ("gangwayd", "gangway-batch"):
                said = subprocess.run(
                    [os.path.join(frame.BUILD, "src", "tools", program), "--config", path],
                    env={**env, "GANGWAY_GATEWAY": ""}, input="a task\n", capture_output=True,
                    text=True, check=False, timeout=frame.PATIENCE).stderr
                said = next((words for words in said.splitlines() if path in words), said)
                self.assertIn(pseudo.pseudo("line").strip("⟦⟧ ~") + f" {line}:", said)
                self.assertIn(names, said)
                self.assertEqual(said.count("⟦"), sentences, said)

    def test_why_a_provider_does_not_work(self):
        """The gateway's own sentences, below the words for their codes."""
        mock = self.mock(providers={"near": {"keys": ["sk-right"]}})
        window = self.open_foreign(env={"NEAR_KEY": "sk-wrong"}, config=self.lanes(
            mock, near={"model": "星-1", "title": "甲", "api-key-env": "NEAR_KEY"}))
        self.wait_said(window, "Built-in gateway")
        window.key("ctrl+comma")
        # The page before the first task has one of that name, too.
        window.click(window.until(lambda: next(
            (node for node in nodes(window.find("frame", say("Preferences")))
             if role_of(node) == "list item" and node.name == "甲"), None), "its row"))
        window.press(part_of("_Test"))
        self.wait_said(window, "The key for %s was not accepted (%s).")
        self.wait_said(window, "Put in the right one.")


if __name__ == "__main__":
    desktop.main()
