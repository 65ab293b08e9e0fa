#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one task: its answer as Markdown or as it came, its calls, what is known of it, and what
several are together."""

import json
import urllib.request

import desktop
from desktop import StateType
from fake_gateway import FakeGateway

ANSWER = """# Report

Revenue grew by **12 %**, see `total`.
A line of its own.

1. First
   - Nested
2. Second

```python
def total (rows):
    return sum (rows)
```

| Region | Revenue |
|--------|--------:|
| North | 20 |

<script>alert (1)</script>
"""


class Detail(desktop.Case):
    def gateway(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        return gateway

    def show(self, window, *parts):
        window.pick(*parts)

    def unfold(self, window, name):
        window.click(lambda: window.wait_node("label", name))

    def test_an_answer_is_rendered_or_plain(self):
        gateway = self.gateway()
        gateway.add("report", "completed", result=ANSWER, ago=3, took=1, model="m")
        gateway.add("link", "completed", result="[innocent words](https://example.org/there)\n",
                    ago=3, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        self.show(window, "report")
        parts = window.until(window.result_parts, "the result")
        text = "\n".join(parts)
        self.assertIn("Report\nRevenue grew by 12 %, see total.\nA line of its own.\n", text)
        self.assertIn("1.\tFirst\n•\tNested\n2.\tSecond", text)
        # Code and tables stand apart, so that they can be wide; HTML is only text.
        self.assertIn("def total (rows):\n    return sum (rows)", parts)
        self.assertTrue(any(part.startswith("Region │ Revenue\n") for part in parts), parts)
        self.assertIn("<script>alert (1)</script>", text)
        window.wait_button("Copy Code")

        window.wait_node(None, "_Plain").act()
        window.until(lambda: window.result_parts() == [ANSWER.rstrip()], "the text as it came")
        window.wait_node(None, "_Plain").act()
        window.until(lambda: len(window.result_parts()) > 1, "the rendered text")

        # A link tells where it goes before it is opened.
        self.show(window, "link")
        window.until(lambda: window.result_parts() == ["innocent words"], "the words of the link")
        window.click_until(
            lambda: window.wait_node("text", None,
                                     lambda n: desktop.description_of(n) == "Result text"),
            lambda: window.find("text", None, lambda n: desktop.description_of(n) == "Result text"
                                and desktop.has_state(n, StateType.FOCUSED)), "the focus")
        window.type_keys("ctrl+Home", "Return")
        window.wait_words("https://example.org/there")
        window.wait_button("_Open")

    def test_plain_is_remembered(self):
        gateway = self.gateway()
        gateway.add("report", "completed", result="**a**", ago=3, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        self.show(window, "report")
        window.until(lambda: window.result_parts() == ["a"], "the rendered text")
        window.wait_node(None, "_Plain").act()
        window.until(lambda: window.result_parts() == ["**a**"], "the plain text")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        again = self.open("--gateway", gateway.uri)
        self.show(again, "report")
        again.until(lambda: again.result_parts() == ["**a**"], "the plain text")

    def test_attempts_and_details(self):
        gateway = self.gateway()
        bad = gateway.add("bad", "failed", ago=9, took=1, attempts=2, provider="openai",
                          error={"code": "auth", "message": "HTTP 401"}, source="a.csv")
        gateway.attempt(bad, "uncertain", ago=9, took=2, provider="hunyuan", model="turbo")
        gateway.attempt(bad, "failed", ago=5, took=1, provider="openai", model="gpt-4o",
                        error={"code": "auth", "message": "HTTP 401"},
                        raw='{"error": "Incorrect API key [redacted]"}')
        other = gateway.add("other", "completed", result="x", ago=3, took=1, model="small-1",
                            provider="openai")
        gateway.attempt(other, "answered", ago=3, took=1, provider="openai", model="gpt-4o")
        window = self.open("--gateway", gateway.uri)
        self.show(window, "bad")
        window.wait_words("The key", "Change _Key…")
        self.unfold(window, "Show Provider’s Message")
        window.wait_words("Incorrect API key [redacted]")
        self.unfold(window, "Attempts (2)")

        def rows():
            return [desktop.name_of(node) for node in desktop.nodes(window.app)
                    if desktop.name_of(node).startswith("Attempt ")
                    and desktop.role_of(node) == "list item"]
        names = window.until(lambda: len(rows()) == 2 and rows(), "two attempts")
        self.assertIn("2 · ", names[0], "the newest is first")
        self.assertIn("gpt-4o", names[0])
        self.assertIn("hunyuan", names[1])
        window.wait_words("May have been paid without an answer", "took 2.0 s")
        # Folded again, so that what is below is on the screen.
        self.unfold(window, "Attempts (2)")
        self.unfold(window, "Show Provider’s Message")
        self.unfold(window, "Details")
        window.wait_words("Task ID", "source", "a.csv")
        # Another model than the one that was asked.
        self.show(window, "other")
        window.wait_words("“gpt-4o” was asked, “small-1” has answered.")

    def length(self, window):
        """Characters of the shown result; its text itself would be megabytes over the bus."""
        return sum(node.count_characters() for node in desktop.nodes(window.app)
                   if desktop.role_of(node) == "text"
                   and desktop.description_of(node) == "Result text")

    def test_a_large_answer_and_its_neighbours(self):
        gateway = self.gateway()
        large = "\n".join(f"{n} **bold** and `code`" for n in range(40000)) + "\nthe end"
        gateway.add("large", "completed", result=large, ago=3, took=1, model="m")
        gateway.add("long line", "completed", result="word " * 250000, ago=3, took=1, model="m")
        gateway.add("small", "completed", result="tiny", ago=3, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        self.show(window, "large")
        window.wait_button("Show _All")
        window.until(lambda: 40000 < self.length(window) < 70000, "the beginning")
        window.press("Show _All")
        # Without the marks of each line.
        whole = len(large) - 40000 * len("****``")
        window.until(lambda: self.length(window) == whole, "all of it")
        window.key("alt+Down")
        window.until(lambda: 40000 < self.length(window) < 70000, "the beginning of the next")
        window.press("Show _All")
        window.until(lambda: self.length(window) > 1000000, "all of the line")
        window.key("alt+Down")
        window.until(lambda: window.result_parts() == ["tiny"], "the last one's")
        window.key("alt+Up")
        window.until(lambda: self.length(window) > 40000, "the one before")
        # All together.
        window.pick("small")
        window.type_keys("ctrl+a")
        window.wait_words("3 Tasks Selected")
        window.key("Escape")
        window.until(lambda: not window.says("3 Tasks Selected"), "the end of the selection")

    def test_the_message_of_a_real_provider(self):
        mock = self.mock(providers={"picky": {"always": {"do": "too-long"}}})
        window = self.open(config=self.lanes(mock, picky={}))
        window.run_task("far too long")
        window.wait_row("far too long", "Failed")
        window.wait_words("The task is longer than the model allows")
        self.unfold(window, "Attempts (1)")
        row = window.wait_node("list item", "Attempt 1")
        self.assertIn("picky", desktop.name_of(row))
        raw = self.attempts(window)[0]["raw"]
        self.unfold(window, "Show Provider’s Message")
        window.wait_words(raw[:40])

    def attempts(self, window):
        base = f"http://127.0.0.1:{desktop.DEFAULT_PORT}"
        with urllib.request.urlopen(base + "/attempts", timeout=10) as reply:
            return json.load(reply)["attempts"]


if __name__ == "__main__":
    desktop.main()
