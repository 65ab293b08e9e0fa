#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the first window: what a newcomer does, and what may go wrong on the way."""


import desktop
import frame
from fake_gateway import FakeGateway


class FirstRun(desktop.Case):
    def test_one_task_is_typed_run_and_read(self):
        window = self.open()
        window.wait_words("Run Many Tasks", "Built-in gateway")
        window.run_task("Say hello to 世界")
        window.wait_row("Say hello to 世界", "Completed")
        # Nobody has a key here: the answer is marked as what it is.
        window.wait_words("Practice answer", "No provider is set up yet")
        window.wait_result("Say hello to 世界")
        window.wait_typed("")

    def test_chinese(self):
        window = self.open(env={"LANGUAGE": "zh_CN"})
        window.wait_words("运行大量任务", "内置网关")
        window.type_task("你好")
        window.press("运行")
        window.wait_row("你好", "已完成", "演练回答")


class Acts(desktop.Case):
    def slow(self):
        mock = self.mock(providers={"slow": {"latency": 600, "ghosts": False}})
        return mock, self.lanes(mock, slow={"max-concurrency": 2})

    def test_cancel_and_retry(self):
        mock, config = self.slow()
        window = self.open(config=config)
        window.run_task("endless")
        window.wait_row("endless", "Running")
        window.press("Cancel Task")
        window.wait_row("endless", "Cancelled")
        # The provider's side sees it end as well: nothing goes on being paid for.
        frame.wait_for(lambda: mock.stats()["providers"]["slow"]["in_flight"] == 0,
                       "the end of the call")
        window.press("Retry")
        window.wait_row("endless", "Running")
        window.press("Cancel Task")
        window.wait_row("endless", "Cancelled")

    def test_an_error_says_what_to_do(self):
        mock = self.mock(providers={"picky": {"always": {"do": "too-long"}}})
        window = self.open(config=self.lanes(mock, picky={}))
        window.run_task("far too long")
        window.wait_row("far too long", "Failed")
        window.wait_words("The task is longer than the model allows", "Retry 1 Failed")

    def test_remove_and_undo(self):
        window = self.open()
        window.run_task("fleeting")
        row = window.wait_row("fleeting", "Completed")
        window.click(row)
        window.key("Delete")
        window.wait_words("1 task removed", "Run Many Tasks")
        window.press("Undo")
        window.wait_row("fleeting", "Completed")

    def test_filters(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("good", "completed", result="r", ago=3, took=1, model="m")
        bad = gateway.add("bad", "failed", ago=3, took=1,
                          error={"code": "server", "message": "HTTP 500"})
        window = self.open("--gateway", gateway.uri)
        window.wait_row("good")
        window.key("alt+5")
        window.until(lambda: window.row_names() and len(window.row_names()) == 1, "one row")
        self.assertIn("bad", window.row_names()[0])
        gateway.change(bad, status="completed", error=None, result="r")
        window.wait_words("No Failed Tasks")
        window.key("alt+1")
        window.until(lambda: len(window.row_names()) == 2, "both rows")


if __name__ == "__main__":
    desktop.main()
