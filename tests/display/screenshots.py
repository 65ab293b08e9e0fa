#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes pictures of the window's main states, light and dark, in English and Chinese:

  GW_BUILD_DIR=build tests/display/screenshots.py FOLDER [NAME…]

The pictures of docs/screenshots are made, all and anew, by

  GW_BUILD_DIR=build tests/display/screenshots.py --docs"""

import os
import subprocess
import sys
import time

import desktop
import frame
from fake_gateway import FakeGateway
from scenery import (
    CHINESE, CHINESE_MORE, MORE, PEOPLE, TALK, fill, fill_failures, fill_timeline, titled)

HERE = os.path.dirname(os.path.abspath(__file__))


class Pictures(desktop.Case):
    def size(self, width, height):
        # The pictures are of the window with its border, as the server draws it.
        self.home.file("config/glib-2.0/settings/keyfile",
                       f"[io/github/gangway/Gangway]\nwindow-width={width}\n"
                       f"window-height={height}\n")

    def new_gateway(self):
        self.gateway = FakeGateway().start()
        self.addCleanup(self.gateway.stop)
        return self.gateway

    def save(self, window, name):
        time.sleep(0.6)
        path = os.path.join(FOLDER, name + ".png")
        window.shot(path)
        subprocess.run(["convert", path, "-strip", "-define", "png:compression-level=9", path],
                       check=True)
        # A file of this kind: nobody needs more.
        self.assertLess(os.path.getsize(path), 200 * 1024)

    def save_screen(self, name, size="1100x700"):
        """With what pops up over the window."""
        time.sleep(0.6)
        path = os.path.join(FOLDER, name + ".png")
        subprocess.run(["import", "-window", "root", "-crop", size + "+0+0", path], check=True)

    def scene(self, name, size=(980, 680), select=None, env=None, chinese=False):
        self.size(*size)
        gateway = self.new_gateway()
        # The run is seen to begin, so that the header has something to say.
        talk, more = (CHINESE, CHINESE_MORE) if chinese else (TALK, MORE)
        if chinese:
            env = {**(env or {}), "LANGUAGE": "zh_CN"}
        titled(gateway)
        window = self.open("--gateway", gateway.uri, env=env)
        window.until(lambda: window.says("127.0.0.1"), "the gateway")
        time.sleep(0.3)
        first = gateway.add(talk[0][0])
        window.wait_row(talk[0][0])
        with gateway.changed:
            gateway.tasks.pop(first)
        fill(gateway, talk, more)
        window.wait_row(more[3])
        if select is not None:
            window.click(window.rows()[select])
        self.save(window, name)
        return window

    def timeline(self, name, size=(980, 680), env=None, chinese=False, dense=False, table=False,
                 select=None):
        self.size(*size)
        settings = "config/glib-2.0/settings/keyfile"
        with open(os.path.join(self.home.path, settings), encoding="utf-8") as file:
            self.home.file(settings, file.read() + "timeline-visible=true\n"
                           + ("timeline-table=true\n" if table else ""))
        gateway = self.new_gateway()
        talk, more = (CHINESE, CHINESE_MORE) if chinese else (TALK, MORE)
        if chinese:
            env = {**(env or {}), "LANGUAGE": "zh_CN"}
        fill_timeline(gateway, talk, more, dense)
        window = self.open("--gateway", gateway.uri, env=env)
        window.wait_row(more[3])
        window.wait_node("status bar", "p50")
        if select is not None:
            window.click(window.rows()[select])
        time.sleep(1.5)
        self.save(window, name)

    def failures(self, name, size=(980, 680), env=None):
        self.size(*size)
        gateway = self.new_gateway()
        titled(gateway)
        fill_failures(gateway)
        window = self.open("--gateway", gateway.uri, env=env)
        window.wait_row(MORE[0])
        window.key("alt+5")
        time.sleep(0.5)
        self.save(window, name)
        return window

    def test_failures(self):
        self.failures("failures")

    def test_failures_narrow(self):
        self.failures("failures-narrow", (360, 640))

    def test_failures_chinese_dark(self):
        self.failures("failures-zh_CN-dark", env={"LANGUAGE": "zh_CN",
                                                  "ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_failures_contrast(self):
        self.failures("failures-contrast", env={"ADW_DEBUG_HIGH_CONTRAST": "1"})

    def import_dialog(self, name, env=None, wrap="Wrap", words="11"):
        self.size(980, 680)
        gateway = self.new_gateway()
        titled(gateway)
        window = self.open("--gateway", gateway.uri, self.home.file("phrases.csv", PEOPLE), env=env)
        window.wait_words(words)
        entry = window.wait_node("text", wrap, lambda node: desktop.has_state(
            node, desktop.StateType.EDITABLE))
        entry.set_text("Translate “{text}” to {language}")
        window.wait_node("list item", "Translate “Good morning” to French")
        self.save(window, name)

    def test_import(self):
        self.import_dialog("import")

    def test_import_chinese(self):
        self.import_dialog("import-zh_CN", {"LANGUAGE": "zh_CN"}, "套用")

    def test_import_large(self):
        self.import_dialog("import-large", {"GW_TEST_DPI": "125"})

    def test_import_dark_mirrored(self):
        self.import_dialog("import-rtl-dark", {"GTK_DEBUG": "invert-text-dir",
                                               "ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_list_large(self):
        self.scene("list-large", select=0, env={"GW_TEST_DPI": "125"})

    def test_several(self):
        window = self.scene("several-0")
        window.click(window.rows()[5])
        window.type_keys("shift+Down", "shift+Down", "shift+Down")
        self.save(window, "several")

    def test_search(self):
        window = self.scene("search-0")
        window.key("ctrl+f")
        window.set_entry("Search tasks and results", "landlord")
        time.sleep(1)
        self.save(window, "search")
        window.set_entry("Search tasks and results", "zebra")
        time.sleep(1)
        self.save(window, "search-none")

    def test_empty_filter(self):
        window = self.scene("filter-0")
        window.key("alt+5")
        time.sleep(0.5)
        self.save(window, "filter")

    def test_help(self):
        self.size(980, 680)
        window = self.open()
        window.wait_words("Built-in gateway")
        window.key("F1")
        window.wait_words("Ctrl+Enter")
        self.save(window, "help")

    def test_timeline(self):
        self.timeline("timeline", select=1)

    def test_timeline_dark(self):
        self.timeline("timeline-dark", env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_timeline_contrast(self):
        self.timeline("timeline-contrast", env={"ADW_DEBUG_HIGH_CONTRAST": "1"})

    def test_timeline_chinese(self):
        self.timeline("timeline-zh_CN", chinese=True)

    def test_timeline_mirrored(self):
        self.timeline("timeline-rtl", env={"GTK_DEBUG": "invert-text-dir"}, select=1)

    def test_timeline_narrow(self):
        self.timeline("timeline-narrow", size=(360, 640))

    def test_timeline_dense(self):
        self.timeline("timeline-dense", dense=True)

    def test_timeline_table(self):
        self.timeline("timeline-table", table=True, select=1)

    def test_list(self):
        self.scene("list", select=0)

    def markdown(self, name, size, env=None):
        self.size(*size)
        gateway = self.new_gateway()
        with open(os.path.join(HERE, "..", "fuzz", "seeds-markdown", "answer.md"),
                  encoding="utf-8") as file:
            gateway.add(TALK[0][0], "completed", result=file.read(), ago=30, took=3.2,
                        model="gpt-4o", provider="openai")
        window = self.open("--gateway", gateway.uri, env=env)
        window.click(window.wait_row(TALK[0][0]))
        window.wait_words("Annual report")
        self.save(window, name)

    def test_markdown(self):
        self.markdown("markdown", (980, 760))

    def test_markdown_dark(self):
        self.markdown("markdown-dark", (980, 760),
                      env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_markdown_mirrored(self):
        self.markdown("markdown-rtl", (980, 760), env={"GTK_DEBUG": "invert-text-dir"})

    def test_list_wide(self):
        self.scene("list-all")

    def test_list_dark(self):
        self.scene("list-dark", select=0, env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_error(self):
        self.scene("error", select=5)

    def test_error_dark(self):
        self.scene("error-dark", select=5, env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_chinese(self):
        self.scene("list-zh_CN", select=0, chinese=True)

    def test_waiting_chinese_dark(self):
        self.scene("waiting-zh_CN-dark", select=9, chinese=True,
                   env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_narrow(self):
        self.scene("narrow", size=(360, 640))

    def test_narrow_detail(self):
        self.scene("narrow-detail", size=(360, 640), select=0)

    def test_contrast(self):
        self.scene("list-contrast", select=0, env={"ADW_DEBUG_HIGH_CONTRAST": "1"})

    def test_mirrored(self):
        self.scene("list-rtl", select=0, env={"GTK_DEBUG": "invert-text-dir"})

    def projects(self, name, size=(1100, 700), env=None, shown=None, history=False):
        self.size(*size)
        gateway = self.new_gateway()
        gateway.add_project("default", completed=3, failed=1)
        current = gateway.add_project("Chapter summaries of the annual report", completed=11,
                                      failed=1, running=3, queued=22)
        gateway.add_project("People of the survey, all languages", paused=True, completed=210,
                            failed=14, queued=776)
        gateway.add_project("Product texts", completed=40)
        gateway.add_project("Interview questions", completed=4, failed=8)
        for days, old in ((1, "Minutes of Monday"), (1, "Letters to landlords"), (3, "Haiku"),
                          (12, "Recipes"), (12, "Slogans for the bakery"), (400, "First steps")):
            gateway.add_project(old, days_ago=days, completed=12 + days, failed=days == 3)
        for number, (content, model, took, result) in enumerate(TALK):
            gateway.add(content, "completed", result=result, ago=30 - number, took=took,
                        model=model, project=current)
        for content in MORE:
            gateway.add(content, project=current)
        window = self.open("--gateway", gateway.uri, env=env)
        window.wait_row(TALK[0][0])
        if size[0] >= 860:
            window.wait_node("list item", "Product texts")
        if shown is not None:
            window.click(window.wait_node("list item", shown))
        if history:
            window.key("ctrl+h")
            window.wait_node("list item", "Haiku")
        self.save(window, name)
        return window

    def test_projects(self):
        self.projects("projects", shown="Chapter summaries")

    def test_projects_dark(self):
        self.projects("projects-dark", env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_projects_chinese(self):
        self.projects("projects-zh_CN", env={"LANGUAGE": "zh_CN"})

    def test_projects_narrow(self):
        window = self.projects("projects-narrow-folded", size=(360, 640))
        window.key("F8")
        window.wait_node("list item", "Product texts")
        self.save_screen("projects-narrow", "360x640")

    def test_projects_mirrored(self):
        self.projects("projects-rtl", env={"GTK_DEBUG": "invert-text-dir"})

    def test_projects_contrast(self):
        self.projects("projects-contrast", env={"ADW_DEBUG_HIGH_CONTRAST": "1"})

    def test_project_menu(self):
        window = self.projects("projects-all")
        window.click(window.wait_node("list item", "Product texts"), "3")
        window.wait_node("menu item", "Rename")
        self.save_screen("project-menu")

    def test_project_rename(self):
        window = self.projects("projects-shown", shown="Product texts")
        window.key("F2")
        window.wait_words("Name of the Project")
        window.set_entry("Name of the Project", "Interview questions")
        window.press("_Rename")
        window.wait_words("Another project has this name")
        self.save_screen("project-rename")

    def task_menu(self, name, size=(980, 680), **members):
        """A task that waits, beside one that was moved to the top and one to the bottom."""
        window = self.scene(name + "-closed", size=size, **members)
        gateway = self.gateway
        waiting = [task for task in gateway.tasks.values() if task["status"] == "queued"]
        gateway.change(waiting[4]["task_id"], priority=101)
        gateway.change(waiting[0]["task_id"], priority=-101)
        window.key("alt+2")  # so that it is in sight in a small window, too
        window.click_until(lambda: window.wait_row(waiting[2]["content"]),
                           lambda: window.find("menu item"), "the menu", "3")
        time.sleep(0.3)
        self.save_screen(name, f"{size[0]}x{size[1]}")

    def test_task_menu(self):
        self.task_menu("task-menu")

    def test_task_menu_contrast(self):
        self.task_menu("task-menu-contrast", env={"ADW_DEBUG_HIGH_CONTRAST": "1"})

    def test_task_menu_chinese_dark(self):
        self.task_menu("task-menu-zh_CN-dark", chinese=True,
                       env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_task_menu_narrow(self):
        self.task_menu("task-menu-narrow", size=(360, 640))

    def limit(self, name, size=(980, 680), menu="Token Limit", words="So far", env=None):
        window = self.projects(name + "-closed", size=size, shown=None, env=env)
        gateway = self.gateway
        project = next(project for project in gateway.projects.values()
                       if project["name"].startswith("Chapter"))
        with gateway.changed:
            gateway.revision += 1
            project.update(paused=True, token_limit=100000, revision=gateway.revision,
                           usage={"total_tokens": 100234})
            project["counts"].update(running=0, queued=25)
            gateway.changed.notify_all()
        if size[0] < 500:
            window.key("F8")
        window.click_until(lambda: window.wait_node("list item", project["name"]),
                           lambda: window.find("label", project["name"]), "its tasks")
        time.sleep(1)
        self.save_screen(name + "-banner", f"{size[0]}x{size[1]}")
        if size[0] < 500:
            window.key("F8")
            time.sleep(0.5)
        window.open_menu(lambda: window.wait_node("list item", project["name"]), menu)
        window.wait_words(words)
        time.sleep(0.3)
        self.save_screen(name, f"{size[0]}x{size[1]}")

    def test_limit(self):
        self.limit("limit")

    def test_limit_dark(self):
        self.limit("limit-dark", env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_limit_chinese(self):
        self.limit("limit-zh_CN", menu="词元上限", words="目前已用", env={"LANGUAGE": "zh_CN"})

    def test_limit_narrow(self):
        self.limit("limit-narrow", size=(360, 640))

    def test_history(self):
        self.projects("history", history=True)

    def test_history_dark(self):
        self.projects("history-dark", history=True,
                      env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_empty(self):
        self.size(980, 680)
        window = self.open()
        window.wait_words("Built-in gateway")
        self.save(window, "empty")

    def test_empty_narrow_chinese(self):
        self.size(360, 640)
        window = self.open(env={"LANGUAGE": "zh_CN", "ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})
        window.wait_words("内置网关")
        self.save(window, "empty-narrow-zh_CN-dark")

    def test_compose(self):
        self.size(980, 680)
        window = self.open()
        window.wait_words("Built-in gateway")
        window.type_task("Summarise chapter 1 in three sentences\nSummarise chapter 2 in three "
                         "sentences\nSummarise chapter 3 in three sentences\nSummarise chapter 4 "
                         "in three sentences")
        window.wait_words("4 lines pasted")
        self.save(window, "compose")

    def compose(self, name, size=(980, 680), lines=4, said="4 lines pasted", env=None):
        self.size(*size)
        window = self.open(env=env)
        window.until(lambda: window.find("push button", "Run") or window.find("push button", "运行"),
                     "the window")
        window.type_task("\n".join(f"Summarise chapter {n} in three sentences"
                                   for n in range(1, lines + 1)))
        window.wait_words(said)
        self.save(window, name)
        return window

    def test_compose_narrow_large_mirrored(self):
        # Large text at the smallest width, from right to left.
        self.compose("compose-narrow-large-rtl", (360, 640), lines=12, said="12 lines pasted",
                     env={"GTK_DEBUG": "invert-text-dir", "GW_TEST_DPI": "125"})

    def test_compose_aside_dark(self):
        self.compose("compose-aside-dark", lines=20000, said="20000 lines pasted",
                     env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_compose_estimate(self):
        self.size(980, 680)
        mock = self.mock(providers={"alpha": {}, "beta": {}})
        window = self.open(config=self.lanes(mock, alpha={}, beta={}))
        window.type_task("\n".join(MORE))
        window.press("Keep as One")
        window.toggle("_Split into 12 tasks")
        window.wait_words("12 tasks:")
        self.save(window, "compose-estimate")

    def test_compose_refused(self):
        self.size(360, 640)
        self.home.file("config/glib-2.0/settings/keyfile",
                       "[io/github/gangway/Gangway]\nprovider='nobody'\nwindow-width=360\n"
                       "window-height=640\n")
        window = self.open()
        window.wait_words("Built-in gateway")
        window.run_task("Summarise chapter 1 in three sentences")
        window.wait_words("your text is kept")
        desktop.xdotool("mousemove", "1270", "790")
        self.save(window, "compose-refused-narrow")

    def test_preferences(self):
        mock = self.mock(providers={"openai": {"models": ["gpt-4o", "gpt-4o-mini"]},
                                    "two": {"keys": ["x"]}})
        window = self.open(config=self.lanes(mock, openai={"model": "gpt-4o-mini"},
                                             two={"title": "NAS"}))
        window.wait_words("Built-in gateway")
        window.key("ctrl+comma")
        window.wait_words("NAS")
        self.save(window, "preferences-providers")
        window.click(window.wait_node("list item", "NAS"))
        window.press("_Test")
        window.wait_words("Key not accepted")
        self.save(window, "preferences-provider")
        window.key("Escape")
        for page in ("Running", "Gateway", "Results"):
            tab = window.wait_node("page tab", page)
            tab.act()
            self.save(window, "preferences-" + page.lower())

    def provider_editor(self, name):
        mock = self.mock(providers={"openai": {"models": ["gpt-4o", "gpt-4o-mini"]}})
        window = self.open(config=self.lanes(mock, openai={"model": "gpt-4o-mini",
                                                           "title": "Office Server"}))
        window.wait_words("Built-in gateway")
        window.key("ctrl+comma")
        window.wait_words("Office Server")
        window.click(window.wait_node("list item", "Office Server"))
        window.press("_Test")
        window.wait_words("2 models")
        self.save(window, name)

    def test_practice(self):
        self.size(980, 680)
        window = self.open()
        window.run_task("What is the capital of France?")
        window.wait_row("What is the capital", "Completed")
        window.result()
        self.save(window, "practice")

    def test_unreachable(self):
        self.size(980, 680)
        window = self.open("--gateway", f"http://127.0.0.1:{frame.free_port()}")
        window.wait_words("Can’t reach the gateway")
        window.type_task("Summarise chapter 1 in three sentences")
        self.save(window, "unreachable")

    def test_unreachable_narrow(self):
        self.size(360, 640)
        window = self.open("--gateway", f"http://127.0.0.1:{frame.free_port()}")
        window.wait_words("Can’t reach the gateway")
        window.type_task("Summarise chapter 1\nSummarise chapter 2")
        window.wait_words("2 lines pasted")
        self.save(window, "unreachable-narrow")

    def import_files(self, name, size=(980, 680), env=None, chinese=False):
        self.size(*size)
        texts = [talk[0] for talk in CHINESE] + CHINESE_MORE if chinese \
            else [talk[0] for talk in TALK] + MORE
        daemon = self.daemon()
        window = self.open(
            "--gateway", daemon.url, self.home.file("prompts.txt", "".join(t + "\n" for t in texts)),
            self.home.file("people.csv", "text,language\nGood morning,French\n,German\n"
                                         "Thank you,Japanese\n"),
            env={**(env or {}), **({"LANGUAGE": "zh_CN"} if chinese else {})})
        window.wait_node("push button", "19")
        # Of its windows the dialog.
        found = frame.wait_for(lambda: desktop.xdotool("search", "--onlyvisible", "--name",
                                                       "Import Tasks|导入任务"), "the dialog")
        window.window_id = lambda: found.split()[-1]
        self.save(window, name)

    def test_import_files(self):
        self.import_files("import-files")

    def test_import_files_dark(self):
        self.import_files("import-files-zh_CN-dark", env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"},
                          chinese=True)

    def test_shortcuts(self):
        self.size(980, 680)
        window = self.open()
        window.wait_words("Built-in gateway")
        window.key("ctrl+question")
        window.wait_words("Paste as tasks")
        self.save(window, "shortcuts")


# The pictures of docs/screenshots, each with the scene that makes it.
class Docs(Pictures):
    def test_list(self):
        self.scene("list", select=0)

    def test_compose(self):
        self.compose("compose")

    def test_import(self):
        self.import_dialog("import")

    def test_failures(self):
        self.failures("failures")

    def test_timeline(self):
        self.timeline("timeline", select=1)

    def test_history(self):
        self.projects("history", (980, 680), history=True)

    def test_preferences(self):
        self.provider_editor("preferences")

    def test_dark(self):
        self.markdown("dark", (980, 680), env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"})

    def test_zh_CN(self):
        self.scene("zh_CN", select=0, chinese=True)

    def test_narrow(self):
        self.scene("narrow", size=(360, 640))


if __name__ == "__main__":
    if sys.argv[1:] == ["--docs"]:
        sys.argv[1:] = [os.path.join(HERE, "..", "..", "docs", "screenshots")] + [
            "Docs." + name for name in vars(Docs) if name.startswith("test_")]
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    FOLDER = os.path.abspath(sys.argv.pop(1))
    os.makedirs(FOLDER, exist_ok=True)
    sys.argv[1:] = [name if name.startswith("Docs.") else f"Pictures.test_{name}"
                    for name in sys.argv[1:]]
    desktop.main()
