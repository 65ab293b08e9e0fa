# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that stream: what there is so far is seen, and ends as a whole answer would."""

import time

import frame

LONG = "Ein langer Text, 一个很长的回答, with \"quotes\" and emoji \U0001f600\U0001f680. " * 12


class Streaming(frame.Case):
    def start(self, timeout=30, **settings):
        self.provider = self.mock(providers={"one": {"latency": 0.1, "concurrency": 4,
                                                     **settings}})
        self.gateway = self.daemon(config=self.lanes(
            self.provider, one={"stream": "true", "timeout-seconds": timeout,
                                "max-concurrency": 4}))
        return self.gateway

    def partial(self, task_id, **query):
        return self.gateway.get(f"/tasks/{task_id}/partial", params=query)

    def wait_partial(self, task_id, size=1):
        def look():
            reply = self.partial(task_id)
            return reply.json() if reply.status_code == 200 and reply.json()["size"] >= size \
                else None
        return frame.wait_for(look, f"{size} bytes of an answer")

    def no_breach(self):
        self.assertEqual(self.provider.stats()["breaches"], 0)

    def test_what_there_is_so_far_grows_into_the_result(self):
        self.start(latency=3.0, always={"do": "stream", "content": LONG, "piece": 7})
        task_id = self.gateway.submit("hello")
        seen = [self.wait_partial(task_id)]
        self.assertIsNone(self.gateway.task(task_id)["result"])
        while len(seen) < 4:
            more = self.wait_partial(task_id, seen[-1]["size"] + 1)
            self.assertTrue(more["text"].startswith(seen[-1]["text"]))
            self.assertTrue(LONG.startswith(more["text"]))
            self.assertEqual((more["task_id"], more["attempt"], more["from"], more["size"]),
                             (task_id, 1, 0, len(more["text"].encode())))
            seen.append(more)
        # What is known is not sent again, and no character is cut in two.
        first, known = seen[0], seen[-1]["size"]
        rest = self.partial(task_id, **{"attempt": 1, "from": known}).json()
        self.assertEqual(rest["from"], known)
        self.assertTrue(LONG.encode()[known:].startswith(rest["text"].encode()))
        again = self.partial(task_id, **{"attempt": 2, "from": known}).json()
        self.assertEqual(again["from"], 0)
        self.assertTrue(again["text"].startswith(first["text"]))

        task = self.gateway.wait_task(task_id)
        self.assertEqual((task["status"], task["result"]), ("completed", LONG))
        self.assertEqual(task["metadata"]["finish_reason"], "stop")
        self.assertGreater(task["metadata"]["usage"]["total_tokens"], 0)
        self.problem(self.partial(task_id), 404)
        self.assertTrue(self.provider.calls("one")[0]["stream"])
        self.no_breach()

    def test_wrong_questions(self):
        self.start()
        self.problem(self.partial("no/such"), 404)
        self.problem(self.partial("019391a0-0000-7000-8000-000000000000"), 404)
        task_id = self.gateway.submit("hello")
        self.problem(self.partial(task_id, **{"from": -1}), 422, "from")
        self.problem(self.partial(task_id, **{"attempt": "x"}), 422, "attempt")

    def test_every_way_to_stream_ends_in_the_same_answer(self):
        ways = {
            "plain": {}, "no done": {"no_done": True}, "junk": {"junk": True},
            "crlf": {"line_end": "\r\n"}, "cr": {"line_end": "\r"}, "lines": {"multi_line": True},
            "usage last": {"usage_in": "last"}, "usage every": {"usage_in": "every"},
            "no usage": {"usage_in": "none"}, "keep-alive": {"blanks": 0.5},
            "all": {"junk": True, "no_done": True, "line_end": "\r\n", "multi_line": True,
                    "blanks": 0.3},
        }
        self.start(contents={f"way: {name}.": {"do": "stream", "content": LONG, **way}
                             for name, way in ways.items()})
        ids = {name: self.gateway.submit(f"way: {name}.") for name in ways}
        for name, task_id in ids.items():
            with self.subTest(way=name):
                task = self.gateway.wait_task(task_id)
                self.assertEqual((task["status"], task["result"]), ("completed", LONG))
                self.assertEqual(task["attempts"], 1)
                self.assertEqual(task["metadata"]["finish_reason"], "stop")
                if name != "no usage":
                    self.assertGreater(task["metadata"]["usage"]["total_tokens"], 0)
        self.assertEqual(self.provider.stats("one")["calls"], len(ways))
        self.no_breach()

    def test_a_server_that_does_not_stream_is_understood(self):
        self.start(streams=False)
        task = self.gateway.wait_task(self.gateway.submit("hello"))
        self.assertEqual((task["status"], task["result"]), ("completed", "answer to: hello"))
        self.no_breach()

    def test_what_is_no_answer_is_tried_again(self):
        faults = {
            "neither end": ({"no_done": True, "no_finish": True}, "bad-reply"),
            "reset": ({"reset_after": 3}, "bad-reply"),
            "error": ({"error": {"message": "the model has crashed", "code": "server_error"}},
                      "server"),
        }
        self.start(contents={f"fault: {name}.": [{"do": "stream", "content": LONG, **fault}]
                             for name, (fault, _code) in faults.items()})
        ids = {name: self.gateway.submit(f"fault: {name}.") for name in faults}
        for name, task_id in ids.items():
            with self.subTest(fault=name):
                task = self.gateway.wait_task(task_id)
                self.assertEqual((task["status"], task["result"]),
                                 ("completed", f"answer to: fault: {name}."))
                first = self.gateway.ok("GET", f"/tasks/{task_id}/attempts")["attempts"][0]
                self.assertEqual(first["error"]["code"], faults[name][1])
                self.assertLessEqual(len(first["raw"].encode()), 4096)
                self.assertIn("data: ", first["raw"])
        self.no_breach()

    def test_signs_of_life_do_not_put_off_the_timeout(self):
        self.start(timeout=1, first=[{"do": "stream", "blanks": 600, "latency": 0.1}])
        task = self.gateway.wait_task(self.gateway.submit("hello"))
        self.assertEqual((task["status"], task["result"]), ("completed", "answer to: hello"))
        attempts = self.gateway.ok("GET", f"/tasks/{task['task_id']}/attempts")["attempts"]
        self.assertEqual(attempts[0]["error"]["code"], "timeout")
        self.assertEqual(self.provider.stats("one")["client_gone"], 1)

    def test_an_answer_is_not_lost_where_the_connection_stays(self):
        self.start(timeout=20, always={"do": "stream", "no_end": True, "content": LONG})
        task = self.gateway.wait_task(self.gateway.submit("hello"))
        self.assertEqual((task["status"], task["result"]), ("completed", LONG))
        self.assertEqual(task["attempts"], 1)

    def test_cancel_closes_the_call(self):
        self.start(always={"do": "stream", "content": LONG, "stop_after": 5})
        task_id = self.gateway.submit("hello")
        self.wait_partial(task_id)
        self.gateway.ok("DELETE", f"/tasks/{task_id}")
        frame.wait_for(lambda: self.provider.stats("one")["client_gone"] == 1,
                       "the provider to see it")
        frame.wait_for(lambda: self.partial(task_id).status_code == 404, "nothing to be left")
        task = self.gateway.task(task_id)
        self.assertEqual((task["status"], task["result"]), ("cancelled", None))

    def test_killed_in_mid_stream(self):
        self.start(first=[{"do": "stream", "content": LONG, "stop_after": 5}])
        task_id = self.gateway.submit("hello")
        self.wait_partial(task_id)
        self.gateway.kill()
        self.gateway = self.daemon()
        self.assertEqual(self.gateway.ok("GET", "/recovery")["uncertain"], 1)
        task = self.gateway.wait_task(task_id)
        self.assertEqual((task["status"], task["result"]), ("completed", "answer to: hello"))
        self.assertEqual(task["metadata"]["uncertain"], 1)
        self.assertEqual(self.provider.stats("one")["calls"], 2)
        self.no_breach()

    def test_the_switch_works_at_once_and_is_kept(self):
        self.start(latency=1.0)
        shown = self.gateway.request("PUT", "/providers/one", json={"stream": False}).json()
        self.assertIs(shown["stream"], False)
        task_id = self.gateway.submit("hello")
        frame.wait_for(lambda: self.gateway.task(task_id)["status"] == "running", "it to run")
        self.problem(self.partial(task_id), 404)
        self.gateway.wait_task(task_id)
        self.assertFalse(self.provider.calls("one")[0]["stream"])
        self.problem(self.gateway.request("PUT", "/providers/one", json={"stream": 1}), 422,
                     "stream")
        self.gateway.terminate()
        self.gateway = self.daemon()
        self.assertIs(self.gateway.ok("GET", "/providers/one")["stream"], False)

    def test_a_key_is_not_seen_in_what_there_is_so_far(self):
        secret = "sk-canary-0123456789abcdef"
        self.provider = self.mock(providers={"one": {"latency": 2.0, "keys": [secret], "always": {
            "do": "stream", "content": f"you sent {secret}, " * 20, "piece": 3}}})
        self.gateway = self.daemon(
            config=self.lanes(self.provider, one={"stream": "true", "api-key-env": "CANARY"}),
            env={"CANARY": secret})
        task_id = self.gateway.submit("hello")
        until = time.monotonic() + 20
        seen = ""
        while self.gateway.task(task_id)["status"] in ("queued", "running"):
            reply = self.partial(task_id)
            if reply.status_code == 200:
                seen = reply.json()["text"]
                self.assertNotIn("sk-can", seen)
            self.assertLess(time.monotonic(), until)
        self.assertIn("you sent [redacted], ", seen)
        self.assertTrue(self.gateway.task(task_id)["result"].startswith(seen))


if __name__ == "__main__":
    frame.main()
