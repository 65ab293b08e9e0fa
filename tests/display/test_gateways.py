#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys over gateways: found, given, lost, foreign, too old, another program's."""

import os

import requests

import desktop
import frame
from fake_gateway import FakeGateway
from redis_server import RedisServer


def sensitive(node):
    return desktop.has_state(node, desktop.StateType.SENSITIVE)


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
        window.wait_typed("keep me")
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
        window.retry_now("Can’t reach")
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
        window.until(lambda: [n for n in desktop.nodes(window.app)
                              if "switched off here" in desktop.description_of(n)],
                     "what basic means")
        window.run_task("shout")
        window.wait_row("shout", "Completed", "m")
        window.wait_result("SHOUT")
        window.run_task("bad")
        window.wait_row("bad", "Failed")
        # What it cannot do is disabled, not broken; trying again is only another submission.
        window.pick("bad")
        window.wait_button("_Retry")
        self.assertFalse(window.find("push button", "Retry With"))
        window.click_until(lambda: window.wait_row("bad", "Failed"),
                           lambda: window.find("menu item", "Retry With"), "the menu", "3")
        self.assertFalse(sensitive(window.find("menu item", "Retry With")))
        window.type_keys("Escape")
        window.press("_Retry")
        window.wait_row("bad", "Failed")
        window.pick("shout")
        window.key("Delete", "ctrl+z")
        window.wait_rows(2)
        # It has no settings that could be offered.
        window.key("ctrl+comma")
        window.wait_words("only takes tasks")
        self.assertFalse(window.says("Add a Provider") or window.says("No Provider Yet"))

    def test_a_basic_one_that_comes_back_as_more_is_taken_for_more(self):
        port = frame.free_port()
        gateway = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "minimal_gateway.py"), str(port)],
            env=self.home.env, name="minimal gateway"))
        gateway.wait_line(r"listening on (\S+)")
        window = self.open("--gateway", f"http://127.0.0.1:{port}")
        window.wait_words(f"127.0.0.1:{port} (basic)")
        window.run_task("slow")
        window.wait_row("slow")
        gateway.kill()
        window.wait_words("Can’t reach the gateway")
        self.daemon(port=port)
        window.wait_words(f"127.0.0.1:{port}")
        window.until(lambda: not window.says("(basic)") and not window.says("Can’t reach"),
                     "a gateway that can all")
        window.run_task("more")
        window.wait_row("more", "Completed")

    def test_a_slow_answer_is_said_to_be_on_its_way(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("first", "completed", result="one", ago=3, took=1, model="m")
        gateway.gives.clear()
        self.addCleanup(gateway.gives.set)
        window = self.open("--gateway", gateway.uri)
        window.pick("first,")
        window.wait_result("Loading…")
        gateway.gives.set()
        window.wait_result("one")

    def test_what_a_basic_gateway_was_given_outlives_the_window(self):
        """It can tell nobody which tasks it has of ours: this side keeps them."""
        gateway = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "minimal_gateway.py"), "8000"],
            env=self.home.env, name="minimal gateway"))
        gateway.wait_line(r"listening on (\S+)")
        window = self.open()
        window.wait_words("(basic)")
        # All its places are taken by tasks that last; the others wait here.
        window.run_lines("shout", *[f"slow {i}," for i in range(12)])
        window.wait_row("shout", "Completed", "m")
        frame.wait_for(lambda: requests.get("http://127.0.0.1:8000/tasks/11",
                                                  timeout=30).ok, "all that may be sent")
        window.wait_row("slow 9,", "Queued")
        window.press("Close")
        window.wait_words("Keep Running in the Background?", "12 tasks are queued.")
        window.press("Stop and Close")
        self.assertEqual(window.wait(), 0)
        files = [name for name in os.listdir(self.home.data) if name.endswith(".jsonl")]
        self.assertEqual(len(files), 1)
        self.assertEqual(os.stat(os.path.join(self.home.data, files[0])).st_mode & 0o777, 0o600)

        window = self.open()
        window.wait_row("shout", "Completed", "m")
        window.pick("shout")
        window.wait_result("SHOUT")
        window.wait_rows(13)
        window.wait_row("slow 11,", "Queued")
        window.kill()
        # Nothing was submitted twice, and what it says in the end is heard.
        window = self.open()
        window.wait_row("slow 0,", "Queued")
        ended = requests.post("http://127.0.0.1:8000/end", json={}, timeout=30)
        self.assertEqual(ended.json(), {"tasks": 11})
        window.wait_row("slow 11,", "Completed")
        window.wait_row("slow 0,", "Completed")
        window.wait_rows(13)

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
        window.wait_rows(2)

    def other_daemon(self, name):
        """A gateway at the default address on data of its own, which the built-in one has not."""
        return self.daemon("--data-dir", self.home.file(name), port=desktop.DEFAULT_PORT)

    def test_a_default_gateway_with_other_data_is_not_replaced(self):
        daemon = self.other_daemon("elsewhere")
        window = self.open()
        window.run_task("before")
        window.wait_row("before", "Completed")
        daemon.terminate()
        window.wait_words("Can’t reach the gateway")
        window.wait_words("is gone", "Use Built-in")
        window.wait_rows(1)
        self.assertFalse(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        # The same data are the same tasks.
        daemon = self.other_daemon("elsewhere")
        window.retry_now("Can’t reach")
        window.wait_words("Connected again")
        window.wait_row("before", "Completed")
        window.until(lambda: not window.says("Connected again"), "the end of the toast")
        # Other data are other tasks, wherever they are.
        daemon.terminate()
        window.wait_words("Can’t reach the gateway")
        daemon = self.other_daemon("anywhere")
        window.wait_rows(0)
        self.assertFalse(window.says("Connected again"))
        window.run_task("over there")
        window.wait_row("over there", "Completed")
        daemon.terminate()
        window.wait_words("is gone")
        window.press("Use Built-in")
        window.wait_words("Built-in gateway")
        window.wait_rows(0)
        self.assertFalse(window.says("Connected again"))
        window.run_task("here")
        window.wait_row("here", "Completed")

    def test_what_is_shown_stays_while_a_gateway_is_ill(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("first", "completed", result="one", ago=3, took=1, model="m")
        gateway.add("second", "completed", result="two", ago=3, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        window.pick("second,")
        shown = "two"
        window.wait_result(shown)
        gateway.refuses = (500, "internal", "something is broken")
        # It tells its health, and yet gives nothing: that is said, and lasts.
        window.wait_words("does not give its tasks", "Retry Now")
        window.wait_rows(2)
        window.wait_result(shown)
        window.run_task("keep me")
        window.wait_words("your text is kept")
        gateway.refuses = None
        window.retry_now("does not give its tasks")
        window.wait_words("Connected again")
        window.until(lambda: not window.says("does not give its tasks"), "the end of the banner")
        window.wait_result(shown)
        window.wait_typed("keep me")
        gateway.add("third", "completed", result="three", ago=3, took=1, model="m")
        window.wait_row("third")

    def test_one_that_never_gave_its_tasks_is_told(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("there", "completed", result="yes", ago=3, took=1, model="m")
        gateway.refuses = (500, "internal", "something is broken")
        window = self.open("--gateway", gateway.uri)
        window.wait_words("does not give its tasks")
        gateway.refuses = None
        window.wait_row("there")

    def test_one_that_is_too_old_is_named(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.version = "0.0.9"
        window = self.open("--gateway", gateway.uri)
        window.wait_words("is too old for this app", "0.0.9")
        window.press("Use Built-in")
        window.wait_words("Built-in gateway")

    def test_the_preference_is_followed_while_the_window_is_open(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.add("over there", "completed", result="yes", ago=2, took=1, model="m")
        self.prefer(gateway="'built-in'")
        window = self.open()
        window.wait_words("Built-in gateway")
        window.run_task("here")
        window.wait_row("here", "Completed")
        self.prefer(gateway=f"'{gateway.uri}'")
        window.wait_row("over there", "Completed")
        window.wait_rows(1)
        frame.wait_for(lambda: not frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT),
                       "the end of the built-in gateway")
        self.prefer(gateway="''")
        window.wait_words("Built-in gateway")
        window.wait_row("here", "Completed")

    def test_what_stops_all_tasks_is_said_while_it_lasts(self):
        gateway = FakeGateway().start()
        self.addCleanup(gateway.stop)
        gateway.status = "no-space"
        task = gateway.add("a task that waits")
        window = self.open("--gateway", gateway.uri)
        window.wait_words("no space left to store answers")
        # No network, and a provider out of reach: this test has a network without a way out.
        gateway.providers = [{"name": "far", "waiting": {"reason": "network", "until": None}}]
        gateway.status = "ok"
        window.wait_words("No network connection")
        gateway.change(task, status="completed", result="r")
        window.until(lambda: not window.says("No network connection"), "the end of the banner")

    def test_a_queue_on_redis_that_is_away(self):
        redis = RedisServer(self).start()
        daemon = self.daemon("--redis", redis.uri)
        window = self.open("--gateway", daemon.url)
        window.run_task("before")
        window.wait_row("before", "Completed")
        redis.kill()
        window.wait_words("cannot reach its queue on Redis", "Nothing is lost")
        window.wait_rows(1)
        window.run_task("keep me")
        window.wait_words("your text is kept")
        self.assertEqual(window.typed(), "keep me")
        redis.start()
        window.until(lambda: not window.says("cannot reach its queue"), "the end of the banner")
        self.assertEqual(window.typed(), "keep me")
        window.press("_Run")
        window.wait_row("keep me", "Completed")
        window.wait_rows(2)
        # Another trouble has other words, and passes by itself as well.
        redis.tell("REPLICAOF", "127.0.0.1", "1")
        redis.tell("CLIENT", "KILL", "TYPE", "normal")
        redis.tell("CLIENT", "KILL", "TYPE", "pubsub")
        window.wait_words("it is a replica")
        redis.tell("REPLICAOF", "NO", "ONE")
        window.until(lambda: not window.says("it is a replica"), "the end of the banner")
        window.run_task("after")
        window.wait_row("after", "Completed")

    def test_lost_and_back(self):
        gateway = FakeGateway().start()
        port = gateway.server_address[1]
        gateway.add("before", "completed", result="yes", ago=2, took=1, model="m")
        window = self.open("--gateway", gateway.uri)
        window.wait_row("before", "Completed")
        gateway.stop()
        window.wait_words("Can’t reach the gateway")
        window.run_task("kept")
        window.wait_words("Not added, your text is kept")
        again = FakeGateway(port)
        again.store, again.tasks, again.revision = gateway.store, gateway.tasks, gateway.revision
        again.start()
        self.addCleanup(again.stop)
        window.until(lambda: not window.says("Can’t reach"), "the end of the banner")
        window.until(lambda: not window.says("Not added"), "the end of what was said meanwhile")
        self.assertEqual(window.typed(), "kept")
        again.add("after")
        window.wait_row("after", "Queued")
        window.wait_rows(2)


if __name__ == "__main__":
    desktop.main()
