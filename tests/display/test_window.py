#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the first window: what a newcomer does, and what may go wrong on the way."""

import os
import time

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
        self.assertEqual(window.result(), "Say hello to 世界")
        self.assertEqual(window.typed(), "")

    def test_ctrl_enter_runs_and_enter_does_not(self):
        window = self.open()
        window.type_task("By key")
        window.wait_button("_Run")
        window.key("Return")
        time.sleep(0.3)
        self.assertEqual(window.row_names(), [])
        window.key("ctrl+Return")
        window.wait_row("By key", "Completed")

    def test_several_lines_are_asked_about(self):
        window = self.open()
        window.type_task("one\n\n  two  \nthree\n")
        window.wait_words("3 lines")
        window.press("_Run")
        time.sleep(0.3)
        self.assertEqual(window.row_names(), [], "nothing is submitted before the answer")
        window.press("Add as 3 Tasks")
        for task in ("one", "two", "three"):
            window.wait_row(task, "Completed")
        self.assertEqual([name.split(",")[0] for name in window.row_names()],
                         ["one", "two", "three"])
        window.wait_words("3 tasks added", "3 completed")

    def test_several_lines_kept_as_one(self):
        window = self.open()
        window.type_task("first line\nsecond line")
        window.press("Keep as One")
        self.assertEqual(window.row_names(), [])
        window.press("_Run")
        window.wait_row("first line", "Completed")
        self.assertEqual(window.result(), "first line\nsecond line")
        self.assertEqual(len(window.row_names()), 1)

    def test_chinese(self):
        window = self.open(env={"LANGUAGE": "zh_CN"})
        window.wait_words("运行大量任务", "内置网关")
        window.type_task("你好")
        window.press("运行")
        window.wait_row("你好", "已完成", "练习答案")

    def test_the_text_survives_a_crash(self):
        window = self.open()
        window.type_task("not run yet")
        draft = os.path.join(self.home.path, "state", "gangway", "draft.txt")
        frame.wait_for(lambda: os.path.exists(draft), "the draft")
        window.kill()
        again = self.open()
        again.until(lambda: again.typed() == "not run yet", "the text of last time")


class Files(desktop.Case):
    def test_files_are_offered_and_a_second_start_hands_over(self):
        tasks = self.home.file("tasks.txt", "\ufeffalpha\r\n\r\nbeta\r\n")
        window = self.open(tasks)
        window.wait_words("Add 2 Tasks?")
        window.press("Add 2 Tasks")
        window.wait_row("alpha", "Completed")
        window.wait_row("beta", "Completed")

        table = self.home.file("table.csv", "question,language\nWhy?,en\nWarum?,de\n")
        self.assertEqual(self.start_again(table), 0)
        window.wait_words("Add 2 Tasks?")
        window.press("Cancel")
        window.until(lambda: not window.says("Add 2 Tasks?"), "the end of the question")
        self.assertEqual(len(window.row_names()), 2)

    def test_files_dropped_from_another_program_are_offered(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        files = [self.home.file("eins 一.txt", "one\ntwo\n"), self.home.file("b.txt", "three\n")]
        source = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(desktop.HERE, "drag_source.py"), *files],
            env={**window.env, "G_DEBUG": ""}, name="drag source"))
        source.wait_line("ready")
        frame.wait_for(lambda: desktop.xdotool("search", "--onlyvisible", "--pid",
                                               str(source.pid)), "the source's window")
        other = desktop.xdotool("search", "--onlyvisible", "--pid", str(source.pid)).split()[-1]
        desktop.xdotool("windowmove", other, "1040", "60")
        desktop.xdotool("mousemove", "1140", "140", "mousedown", "1")
        for x in (1130, 1110, 1080, 1000, 900, 800, 700, 600, 500, 480):
            time.sleep(0.1)
            desktop.xdotool("mousemove", str(x), "300")
        time.sleep(0.4)
        desktop.xdotool("mouseup", "1")
        window.wait_words("Add 3 Tasks?", "2 files")
        window.press("Add 3 Tasks")
        window.wait_row("three", "Completed")

    def test_options_of_the_running_window_are_not_changed_silently(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        second = self.keep(desktop.Window(self.home, ["--data-dir", self.home.path + "/other"]))
        self.assertEqual(second.wait(), 2)
        self.assertIn("open already", second.stderr)

    def test_a_file_that_cannot_be_read_is_named(self):
        window = self.open(os.path.join(self.home.path, "missing.txt"))
        window.wait_words("“missing.txt” was not read")


class Gateways(desktop.Case):
    def test_an_external_gateway_is_used_and_outlives_the_window(self):
        daemon = self.daemon()
        window = self.open("--gateway", daemon.url)
        window.wait_words(daemon.url.removeprefix("http://"))
        window.run_task("over there")
        window.wait_row("over there", "Completed")
        tasks = daemon.ok("GET", "/tasks")["tasks"]
        self.assertEqual([task["content"] for task in tasks], ["over there"])
        self.assertFalse(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT),
                         "no second gateway was started")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        self.assertEqual(daemon.ok("GET", "/health")["service"], "gangway")

    def test_the_default_gateway_is_found(self):
        daemon = self.daemon(port=desktop.DEFAULT_PORT)
        window = self.open()
        window.wait_words("127.0.0.1:8000")
        window.run_task("found")
        window.wait_row("found", "Completed")
        self.assertEqual(len(daemon.ok("GET", "/tasks")["tasks"]), 1)

    def test_a_given_address_is_never_replaced_by_itself(self):
        port = frame.free_port()
        window = self.open("--gateway", f"127.0.0.1:{port}")
        window.wait_words("Can’t reach the gateway")
        window.run_task("keep me")
        window.wait_words("your text is kept")
        self.assertEqual(window.typed(), "keep me")
        self.assertFalse(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        window.press("Use Built-in")
        window.wait_words("Built-in gateway")
        window.press("_Run")
        window.wait_row("keep me", "Completed")

    def test_retry_now_finds_a_gateway_that_came_up(self):
        port = frame.free_port()
        window = self.open("--gateway", f"http://127.0.0.1:{port}")
        window.wait_words("Can’t reach the gateway")
        self.daemon(port=port)
        window.press("Retry Now")
        window.wait_words(f"127.0.0.1:{port}")
        window.run_task("at last")
        window.wait_row("at last", "Completed")

    def test_a_foreign_gateway_with_two_calls_serves(self):
        gateway = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "minimal_gateway.py"), "8000"],
            env=self.home.env, name="minimal gateway"))
        gateway.wait_line(r"listening on (\S+)")
        window = self.open()
        window.wait_words("(basic)")
        window.run_task("shout")
        window.wait_row("shout", "Completed", "m")
        self.assertEqual(window.result(), "SHOUT")
        window.run_task("bad")
        window.wait_row("bad", "Failed")
        # What it cannot do is disabled, not broken.
        retry = window.wait_node("push button", "_Retry")
        self.assertFalse(desktop.has_state(retry, desktop.Atspi.StateType.SENSITIVE))

    def test_another_program_is_no_gateway(self):
        import http.server
        import threading
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                 http.server.SimpleHTTPRequestHandler)
        server.RequestHandlerClass.log_message = lambda *a: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        window = self.open("--gateway", f"http://127.0.0.1:{server.server_address[1]}")
        window.wait_words("Another program answers at", "Use Built-in")

    def test_the_built_in_one_carries_on_for_a_default_gateway_that_went(self):
        daemon = self.daemon(port=desktop.DEFAULT_PORT)
        window = self.open()
        window.run_task("before")
        window.wait_row("before", "Completed")
        daemon.terminate()
        window.wait_words("Can’t reach the gateway")
        window.wait_words("Built-in gateway")
        window.run_task("after")
        window.wait_row("after", "Completed")
        self.assertEqual(len(window.row_names()), 2, "the same data")

    def test_lost_and_back(self):
        gateway = FakeGateway().start()
        port = gateway.server_address[1]
        gateway.add("before", "completed", result="yes", ago=2, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        window.wait_row("before", "Completed")
        gateway.stop()
        window.wait_words("Can’t reach the gateway")
        again = FakeGateway(port)
        again.store, again.tasks, again.revision = gateway.store, gateway.tasks, gateway.revision
        again.start()
        self.addCleanup(again.stop)
        window.until(lambda: not window.says("Can’t reach"), "the end of the banner")
        again.add("after")
        window.wait_row("after", "Queued")
        self.assertEqual(len(window.row_names()), 2)


class Acts(desktop.Case):
    def slow(self):
        mock = self.mock(providers={"slow": {"latency": 60, "ghosts": False}})
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


class Ending(desktop.Case):
    def assert_gone(self, window):
        self.assertEqual(window.wait(15), 0)
        self.assertEqual(window.members(), [])
        self.assertFalse(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))

    def open_idle(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.assertTrue(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        return window

    def test_quit_leaves_nothing(self):
        window = self.open_idle()
        window.key("ctrl+q")
        self.assert_gone(window)

    def test_close_leaves_nothing(self):
        window = self.open_idle()
        window.press("Close")
        self.assert_gone(window)

    def test_a_signal_leaves_nothing(self):
        window = self.open_idle()
        window.child.terminate()
        self.assert_gone(window)

    def open_running(self, latency=60):
        mock = self.mock(providers={"slow": {"latency": latency, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"max-concurrency": 1}))
        window.type_task("first\nsecond")
        window.press("Add as 2 Tasks")
        window.wait_row("first", "Running")
        window.wait_row("second", "Queued")
        return window

    def test_close_with_work_left_asks_and_stops(self):
        window = self.open_running()
        window.press("Close")
        window.wait_words("Keep Running in the Background?", "1 task is running.", "1 is queued.")
        window.press("Cancel")
        window.until(lambda: not window.says("Keep Running in the Background?"), "the window")
        window.key("ctrl+w")
        window.wait_words("Keep Running in the Background?")
        start = time.monotonic()
        window.press("Stop and Close")
        self.assert_gone(window)
        self.diagnose(f"stopped in {time.monotonic() - start:.1f} s")

    def test_keep_running_and_come_back(self):
        window = self.open_running()
        window.press("Close")
        window.press("Keep Running")
        frame.wait_for(lambda: not desktop.subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(window.pid)],
            capture_output=True, check=False).stdout.strip(), "the window to go")
        self.assertTrue(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        self.assertEqual(self.start_again(), 0)
        window.window_id()
        window.wait_row("first", "Running")

    def test_in_the_background_it_ends_by_itself_when_all_is_done(self):
        window = self.open_running(latency=2)
        window.press("Close")
        window.press("Keep Running")
        self.assertEqual(window.wait(40), 0)
        self.assert_gone(window)
        again = self.open()
        again.wait_row("first", "Completed")
        again.wait_row("second", "Completed")

    def test_what_a_crash_interrupted_is_resumed_by_the_user(self):
        window = self.open_running()
        window.kill()
        again = self.open()
        again.wait_words("1 task was interrupted last time")
        again.wait_row("first", "Interrupted")
        again.press("Resume")
        again.until(lambda: not again.says("interrupted last time"), "the end of the banner")


if __name__ == "__main__":
    desktop.main()
