#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes pictures of the window's main states, light and dark, in English and Chinese:

  GW_BUILD_DIR=build tests/display/screenshots.py FOLDER [NAME…]

The pictures of docs/screenshots are made, all and anew, by

  GW_BUILD_DIR=build tests/display/screenshots.py --docs"""

import os
import random
import subprocess
import sys
import time

import desktop
import frame
from fake_gateway import FakeGateway, iso

HERE = os.path.dirname(os.path.abspath(__file__))
TALK = [
    ("Summarise chapter 1 of the annual report in three sentences", "hunyuan-turbos", 3.2,
     "Revenue grew by 12 % to 48 million, mostly in the second quarter. Costs fell after two "
     "sites were joined.\n\nThe outlook:\n\n1. The new plant opens in spring.\n2. Prices stay "
     "as they are.\n3. Forty people will be hired, most of them in service.\n"),
    ("Translate “Good morning, everyone” into French, German and Japanese", "glm-4.7-flash", 5.0,
     "French: Bonjour à tous\nGerman: Guten Morgen zusammen\nJapanese: 皆さん、おはようございます\n"),
    ("Write a subject line for the invitation to the summer party", "hunyuan-turbos", 1.4,
     "Sun, music and you: our summer party on 12 July"),
    ("Suggest three names for a bakery that opens at night", "llama-3.3-70b", 2.7,
     "Moonrise Bakery\nThe Night Oven\nAfter Dark Bread"),
    ("Explain to a ten-year-old why the sky is blue", "glm-4.7-flash", 4.1, "Sunlight …"),
]
MORE = ["List five questions for a job interview with a gardener",
        "Turn the notes of Monday into minutes", "Find the three weakest arguments in the essay",
        "Write a haiku about autumn leaves", "Shorten the product text to 280 characters",
        "Rewrite the complaint politely", "Sort the ideas by how much they cost",
        "Describe the picture of the harbour for a blind reader",
        "Check the recipe for missing quantities", "Compare the two offers in a table",
        "Draft a reply to the landlord", "Give the moral of the fable in one line"]
CHINESE = [
    ("用三句话总结年度报告第一章", "hunyuan-turbos", 3.2,
     "全年收入增长 12 %，达到 4800 万，主要来自第二季度。两个厂区合并后成本下降。\n\n展望：\n\n"
     "1. 新工厂将于春季投产。\n2. 价格保持不变。\n3. 将招聘四十人，大部分在服务部门。\n"),
    ("把“大家早上好”翻译成法语、德语和日语", "glm-4.7-flash", 5.0, "Bonjour à tous …"),
    ("为夏日聚会的邀请写一个标题", "hunyuan-turbos", 1.4, "阳光、音乐和你"),
    ("为一家夜间营业的面包店取三个名字", "llama-3.3-70b", 2.7, "月升面包房"),
    ("向十岁的孩子解释天空为什么是蓝色的", "glm-4.7-flash", 4.1, "阳光……"),
]
CHINESE_MORE = ["列出面试园丁的五个问题", "把周一的笔记整理成会议纪要", "找出文章中最弱的三个论点",
                "写一首关于秋叶的俳句", "把产品文案缩短到 280 字", "把投诉信改写得更有礼貌",
                "按成本给这些想法排序", "为盲人读者描述这张港口的照片", "检查菜谱缺少哪些用量",
                "用表格比较两份报价", "起草给房东的回信", "用一句话说出寓言的寓意"]


def fill(gateway, talk, more):
    for number, (content, model, took, result) in enumerate(talk):
        gateway.add(content, "completed", result=result, ago=30 - number, took=took, model=model,
                    provider={"h": "hunyuan", "g": "zhipu", "l": "nvidia"}[model[0]],
                    usage={"prompt_tokens": 96, "completion_tokens": 88, "total_tokens": 184})
    gateway.add(more[0], "failed", ago=12, took=0.3, provider="openai", attempts=2,
                error={"code": "auth",
                       "message": "HTTP 401: Incorrect API key provided: sk-…redacted. You can "
                                  "find your API key on the page of your account."})
    gateway.add(more[1], "running", ago=4.4, provider="nvidia")
    gateway.add(more[2], "running", ago=2.1, provider="hunyuan")
    gateway.add(more[3], "running", ago=1.2, provider="hunyuan")
    gateway.add(more[4], waiting={"reason": "window", "until": iso(time.time() + 42)})
    for content in more[5:]:
        gateway.add(content)


# As the gateway of the pictures calls them.
TITLES = {"hunyuan": "Tencent Hunyuan", "zhipu": "Zhipu", "nvidia": "NVIDIA", "openai": "OpenAI"}
PEOPLE = ("text,language,page\n"
          "Good morning,French,1\nSee you tomorrow,German,1\nHow much is the ticket?,Japanese,2\n"
          "The museum is closed on Mondays,Spanish,2\nWhere is platform nine?,Greek,3\n"
          "A table for four please,Italian,3\nThe lift is out of order,Polish,4\n"
          "Mind the gap,Portuguese,4\nTwo tickets to the harbour,Swedish,5\n"
          "Is breakfast included?,Turkish,5\nThank you for your visit,Dutch,6\n")


def titled(gateway):
    gateway.providers = [
        {"name": name, "title": title, "in_use": True, "usable": True, "enabled": True,
         "max_concurrency": 5, "adapted_concurrency": 5, "requests_per_minute": 0,
         "waiting": None} for name, title in TITLES.items()]


def fill_failures(gateway):
    """One run that met three causes."""
    for number, (content, model, took, result) in enumerate(TALK):
        gateway.add(content, "completed", result=result, ago=90 - number, took=took, model=model,
                    provider="hunyuan")
    causes = [("openai", 6, "timeout", "No answer within 120 s"),
              ("nvidia", 3, "server", "HTTP 503: The service is overloaded. Try again later."),
              ("zhipu", 2, "too-long", "HTTP 400: 9120 tokens of at most 8192")]
    texts = iter(MORE + ["Name the opposite of each word"])
    for provider, number, code, message in causes:
        for _ in range(number):
            gateway.add(next(texts), "failed", ago=40, took=120 if code == "timeout" else 0.6,
                        provider=provider, attempts=3, error={"code": code, "message": message})


def fill_timeline(gateway, talk, more, dense=False):
    """Three lanes: one that is busy, one that meets its limit per minute, one that cools down."""
    def provider(name, title, slots, per_minute, **members):
        return {"name": name, "title": title, "in_use": True, "usable": True, "enabled": True,
                "max_concurrency": slots, "adapted_concurrency": slots,
                "requests_per_minute": per_minute, "waiting": None, **members}
    gateway.providers = [
        provider("hunyuan", "Tencent Hunyuan", 5, 0), provider("nvidia", "NVIDIA", 3, 12),
        provider("zhipu", "Zhipu", 1, 0,
                 waiting={"reason": "cool-down", "until": iso(time.time() + 21)})]
    gateway.health = {"max_concurrency": 7, "oldest_queued_at": iso(time.time() - 41)}
    tasks = []
    for number, (content, model, took, result) in enumerate(talk):
        tasks.append(gateway.add(content, "completed", result=result, ago=60 - number, took=took,
                                 model=model, provider="hunyuan"))
    for content in more[:4]:
        tasks.append(gateway.add(content, "running", ago=3, provider="nvidia"))
    for content in more[4:]:
        gateway.add(content)
    spread = random.Random(3)
    if dense:
        for number in range(4000):
            name, slots = (("hunyuan", 5), ("nvidia", 3), ("zhipu", 1))[number % 3]
            failed = spread.random() < 0.08
            gateway.add_attempt(tasks[number % len(tasks)], name, number // 3 % slots,
                                60 - number * 0.015, 0, spread.uniform(0.01, 0.04 * slots),
                                "failed" if failed else "answered", number,
                                {"code": "timeout", "message": "x"} if failed else None)
        return
    numbers = dict.fromkeys(tasks, 0)

    def attempt(task, *rest, **members):
        numbers[task] += 1
        gateway.add_attempt(task, *rest, number=numbers[task], **members)
    for slot in range(5):
        at = 60.0
        while at > 0:
            took = spread.uniform(2, 7)
            failed = spread.random() < 0.12
            ends = took < at
            attempt(spread.choice(tasks), "hunyuan", slot, at, 0.3, took - 0.35 if ends else None,
                    "failed" if failed else "answered",
                    error={"code": "server", "message": "500"} if failed and ends else None)
            at -= took
    for number in range(12):
        attempt(tasks[number % len(tasks)], "nvidia", number % 3, 48 - number, 0.1, 2.6)
    attempt(tasks[2], "zhipu", 0, 50, 0.2, 9)
    attempt(tasks[3], "zhipu", 0, 40, 0.2, 8)
    attempt(tasks[4], "zhipu", 0, 31, 0.2, 1, "failed", error={"code": "rate", "message": "429"})


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

    def test_import(self):
        self.import_files("import")

    def test_import_dark(self):
        self.import_files("import-zh_CN-dark", env={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"},
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
