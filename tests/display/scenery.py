# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway of the pictures tells: tasks and answers in two languages, failures, a run."""

import random
import time

from fake_gateway import iso

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
