# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP table, with right and with wrong input: submissions, and the service itself."""

import json

import frame
from http_case import NOWHERE, TIME, HttpCase


class Submit(HttpCase):
    def test_one_task_to_its_answer(self):
        reply = self.gateway.post("/tasks", {"content": "hello ✓"})
        self.assertEqual(reply.status_code, 200)
        self.assertEqual(reply.headers["Content-Type"].split(";")[0], "application/json")
        given = reply.json()
        self.assertEqual(given["status"], "queued")
        self.assertRegex(given["task_id"], r"^[A-Za-z0-9-]{1,64}$")
        task = self.gateway.wait_task(given["task_id"])
        self.check_task(task)
        self.assertEqual(task["status"], "completed")
        self.assertEqual(task["project_id"], given["project_id"])
        self.assertEqual(task["content"], "hello ✓")
        self.assertEqual(task["result"], "answer to: hello ✓")
        self.assertIsNone(task["error"])
        self.assertEqual(task["attempts"], 1)
        for name in ("created_at", "started_at", "finished_at"):
            self.assertRegex(task[name], TIME)
        self.assertLessEqual(task["created_at"], task["started_at"])
        self.assertLessEqual(task["started_at"], task["finished_at"])
        metadata = task["metadata"]
        self.assertEqual(metadata["model"], "mock-model")
        self.assertEqual(metadata["provider"], "one")
        self.assertEqual(metadata["usage"], {"prompt_tokens": 2, "completion_tokens": 4,
                                             "total_tokens": 6})
        self.assertEqual(metadata["finish_reason"], "stop")
        self.assertIsInstance(metadata["duration_ms"], int)

    def test_members_are_kept(self):
        self.hold()
        body = {"content": "t", "metadata": {"row": 7, "nest": {"a": [1, None, "ü"]}},
                "priority": 100.0, "provider": "one", "model": "mock-model", "unheard-of": True}
        given = self.gateway.ok("POST", "/tasks?unheard-of=1", body)
        metadata = self.gateway.task(given["task_id"])["metadata"]
        self.assertEqual(metadata["row"], 7)
        self.assertEqual(metadata["nest"], {"a": [1, None, "ü"]})
        self.assertIsNone(metadata["model"])

    def test_projects_by_name_and_id(self):
        first = self.gateway.ok("POST", "/tasks", {"content": "a", "project": "My project"})
        second = self.gateway.ok("POST", "/tasks", {"content": "b", "project": "My project"})
        third = self.gateway.ok("POST", "/tasks", {"content": "c",
                                                   "project": first["project_id"]})
        self.assertEqual(first["project_id"], second["project_id"])
        self.assertEqual(first["project_id"], third["project_id"])
        other = self.gateway.ok("POST", "/tasks", {"content": "d", "project": "my project"})
        self.assertNotEqual(other["project_id"], first["project_id"])
        plain = self.gateway.ok("POST", "/tasks", {"content": "e"})
        project = self.gateway.ok("GET", f"/projects/{plain['project_id']}")
        self.assertEqual(project["name"], "default")
        self.reject("POST", "/tasks", {"content": "f", "project": NOWHERE}, 404)
        self.reject("POST", "/tasks", {"content": "f", "project": ""}, 422, "project")
        self.reject("POST", "/tasks", {"content": "f", "project": "x" * 201}, 422, "project")
        self.gateway.ok("POST", "/tasks", {"content": "f", "project": "ü" * 200})

    def test_wrong_fields_are_named(self):
        for body, word in [
                ({}, "content"), ({"content": None}, "content"), ({"content": 5}, "content"),
                ({"content": ["a"]}, "content"), ({"content": ""}, "content"),
                ({"content": " \n\t "}, "content"),
                ({"content": "a", "priority": 101}, "priority"),
                ({"content": "a", "priority": -101}, "priority"),
                ({"content": "a", "priority": 1.5}, "priority"),
                ({"content": "a", "priority": "1"}, "priority"),
                ({"content": "a", "metadata": []}, "metadata"),
                ({"content": "a", "metadata": "x"}, "metadata"),
                ({"content": "a", "project": 3}, "project"),
                ({"content": "a", "provider": 3}, "provider"),
                ({"content": "a", "provider": "nobody"}, "provider"),
                ({"content": "a", "model": {}}, "model"),
                ({"content": "a", "model": "unheard-of"}, "model")]:
            with self.subTest(body=body):
                self.reject("POST", "/tasks", body, 422, word)
        for name in ("model", "provider", "usage", "finish_reason", "duration_ms", "waiting",
                     "tries", "uncertain", "practice"):
            with self.subTest(metadata=name):
                self.reject("POST", "/tasks", {"content": "a", "metadata": {name: 1}}, 422, name)
        feed = self.gateway.ok("GET", "/tasks?since=0")
        self.assertEqual(feed["tasks"], [])

    def test_what_is_not_json_is_400(self):
        for body in ("", "{", '{"content": "a"', "{'content': 'a'}", '{"content": "a",}',
                     '{"content": "a"} {}', '{"content": "a"} x', '// c\n{"content": "a"}',
                     '/* c */{"content": "a"}', 'var a = {"content": "a"}', '{content: "a"}',
                     '{"content": "a", "priority": 010}', '{"content": "a", "priority": +1}',
                     '{"content": "a", "priority": NaN}', '{"content": "a\nb"}',
                     '{"content": "\\x41"}', '{"content": "\\u12"}', "\ufeff", "[1,]", "tru",
                     b'{"content": "\xff\xfe"}', b'{"content": "\xc0\xaf"}',
                     "[" * 65 + "]" * 65,
                     '{"content":"a","metadata":{"d":' + "[" * 63 + "]" * 63 + "}}",
                     "[" * 200_000, "[" * 100_000 + "]" * 100_000):
            with self.subTest(body=body[:40]):
                self.reject("POST", "/tasks", body, 400)

    def test_json_of_other_shape_is_422(self):
        for body in ("[]", "null", "1", '"text"', "true", "[" * 64 + "]" * 64):
            with self.subTest(body=body[:10]):
                self.reject("POST", "/tasks", body, 422)
        for body in ('{"content": "a\\u0000b"}', '{"content": "\\ud800"}',
                     '{"content": "\\udc00\\ud800"}', '{"content": "a", "project": "\\u0000"}',
                     '{"content": "a", "metadata": {"k": "\\ud83d"}}',
                     '{"content": "a", "metadata": {"\\u0000": 1}}'):
            with self.subTest(body=body):
                self.reject("POST", "/tasks", body, 422)

    def test_json_that_is_allowed(self):
        for body, content in [
                ("\ufeff" + '{"content": "bom"}', "bom"),
                ('{"content": "first", "content": "last"}', "last"),
                ('{"content": "\\ud83d\\ude00"}', "😀"),
                ('{"content": "line\\r\\nline\\ttab"}', "line\r\nline\ttab"),
                (' \r\n\t{"content": "space"} \n', "space"),
                ('{"content": "one", "priority": 1.0}', "one"),
                ('{"content": "exp", "priority": 1e2}', "exp"),
                ('{"content": "deep", "metadata": {"d": ' + "[" * 62 + "]" * 62 + "}}", "deep")]:
            with self.subTest(body=body[:40]):
                reply = self.gateway.request("POST", "/tasks", data=body.encode(), headers={
                    "Content-Type": "application/json; charset=utf-8"})
                self.assertEqual(reply.status_code, 200, reply.text)
                task = self.gateway.task(reply.json()["task_id"])
                self.assertEqual(task["content"], content)

    def test_media_types(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                     "application/jsonx", "text/json", ""):
            with self.subTest(kind=kind):
                reply = self.gateway.request("POST", "/tasks", data=b'{"content": "a"}',
                                             headers={"Content-Type": kind} if kind else {})
                self.problem(reply, 415)
        given = self.gateway.submit("to cancel")
        reply = self.gateway.request("POST", f"/tasks/{given}/retry")
        self.assertIn(reply.status_code, (200, 409))

    def test_size_limits(self):
        self.hold()
        mebibyte = "x" * (1 << 20)
        task_id = self.gateway.submit(mebibyte)
        self.assertEqual(self.gateway.task(task_id)["content"], mebibyte)
        self.reject("POST", "/tasks", {"content": mebibyte + "y"}, 413)
        self.reject("POST", "/tasks", {"content": "ü" * (1 << 19) + "y"}, 413)
        self.gateway.submit("small", metadata={"k": "x" * (60 << 10)})
        reply = self.gateway.post("/tasks", {"content": "a", "metadata": {"k": "x" * (66 << 10)}})
        self.assertIn(reply.status_code, (413, 422))
        self.problem(reply, reply.status_code, "metadata")
        self.reject("POST", "/tasks", b'{"content": "a"}' + b" " * (16 << 20), 413)

    def test_batches(self):
        given = self.gateway.ok("POST", "/tasks/batch", {
            "tasks": ["one", {"content": "two", "metadata": {"row": 2}}, "three"],
            "project": "numbers", "concurrency": 2})
        self.assertEqual(len(given["task_ids"]), 3)
        project = self.gateway.wait_project(given["project_id"])
        self.assertEqual(project["name"], "numbers")
        self.assertEqual(project["concurrency"], 2)
        self.assertEqual(project["counts"]["completed"], 3)
        tasks = [self.gateway.task(task_id) for task_id in given["task_ids"]]
        self.assertEqual([task["content"] for task in tasks], ["one", "two", "three"])
        self.assertEqual(tasks[1]["metadata"]["row"], 2)
        again = self.gateway.ok("POST", "/tasks/batch", {
            "tasks": ["four"], "project": given["project_id"], "concurrency": None})
        self.assertEqual(again["project_id"], given["project_id"])
        self.assertIsNone(self.gateway.ok(
            "GET", f"/projects/{given['project_id']}")["concurrency"])

    def test_a_batch_is_held_in_its_own_step(self):
        given = self.gateway.ok("POST", "/tasks/batch", {
            "tasks": ["one", "two"], "project": "held", "paused": True})
        project = self.gateway.ok("GET", f"/projects/{given['project_id']}")
        self.assertIs(project["paused"], True)
        self.assertEqual(project["counts"]["queued"], 2)
        for task_id in given["task_ids"]:
            self.assertEqual(self.gateway.ok("GET", f"/tasks/{task_id}")["attempts"], 0)
        self.gateway.ok("POST", "/tasks/batch", {
            "tasks": ["three"], "project": "held", "paused": False})
        project = self.gateway.wait_project(given["project_id"])
        self.assertEqual(project["counts"]["completed"], 3)

    def test_wrong_batches_store_nothing(self):
        for body, status, word in [
                ({}, 422, "tasks"), ({"tasks": []}, 422, "tasks"), ({"tasks": "a"}, 422, "tasks"),
                ({"tasks": ["a", 5]}, 422, "tasks"), ({"tasks": ["a", ""]}, 422, ""),
                ({"tasks": ["a", {"content": " "}]}, 422, "content"),
                ({"tasks": ["a", {"priority": 1}]}, 422, "content"),
                ({"tasks": ["a"], "concurrency": 0}, 422, "concurrency"),
                ({"tasks": ["a"], "concurrency": 10_001}, 422, "concurrency"),
                ({"tasks": ["a"], "concurrency": "2"}, 422, "concurrency"),
                ({"tasks": ["a"], "paused": 1}, 422, "paused"),
                ({"tasks": ["a", {"content": "b", "provider": "nobody"}]}, 422, "provider"),
                ({"tasks": ["a"], "project": NOWHERE}, 404, ""),
                ({"tasks": ["a", "x" * ((1 << 20) + 1)]}, 413, "")]:
            with self.subTest(body=str(body)[:60]):
                self.reject("POST", "/tasks/batch", body, status, word)
        reply = self.gateway.post("/tasks/batch", {"tasks": ["a"] * 100_001})
        self.assertIn(reply.status_code, (413, 422))
        self.problem(reply, reply.status_code)
        self.assertEqual(self.gateway.ok("GET", "/tasks?since=0")["tasks"], [])
        self.assertEqual(self.provider.stats("one")["calls"], 0)

    def test_idempotency(self):
        def send(body, key, path="/tasks"):
            return self.gateway.request("POST", path, data=body, headers={
                "Content-Type": "application/json", "Idempotency-Key": key})

        first = send('{"content": "once"}', "key 1").json()
        self.gateway.wait_task(first["task_id"])
        second = send('{"content": "once"}', "key 1")
        self.assertEqual(second.status_code, 200)
        self.assertEqual(second.json()["task_id"], first["task_id"])
        self.assertEqual(second.json()["status"], "completed")
        self.problem(send('{"content": "other"}', "key 1"), 409)
        self.problem(send('{"content":  "once"}', "key 1"), 409)
        third = send('{"content": "once"}', "key 2").json()
        self.assertNotEqual(third["task_id"], first["task_id"])
        body = json.dumps({"tasks": ["a", "b"], "project": "p"})
        batch = send(body, "key 3", "/tasks/batch").json()
        self.assertEqual(send(body, "key 3", "/tasks/batch").json()["task_ids"],
                         batch["task_ids"])
        self.problem(send(json.dumps({"tasks": ["a"]}), "key 3", "/tasks/batch"), 409)
        self.assertEqual(send('{"content": "long"}', "k" * 255).status_code, 200)
        self.assertIn(send('{"content": "long"}', "k" * 256).status_code, (400, 422))
        self.assertIn(send('{"content": "long"}', "").status_code, (400, 422))
        reply = self.gateway.request("POST", "/tasks", data=b'{"content": "x"}', headers={
            "Content-Type": "application/json", "Idempotency-Key": "ü".encode("utf-8")})
        self.assertIn(reply.status_code, (400, 422))


class Service(HttpCase):
    def test_health(self):
        health = self.gateway.ok("GET", "/health")
        self.assertEqual(health["service"], "gangway")
        self.assertEqual(health["host"], "daemon")
        self.assertEqual(health["queue"], "embedded")
        self.assertRegex(health["version"], r"^\d+\.\d+")
        self.assertRegex(health["store"], r"^[0-9a-f-]{36}$")

    def test_metrics(self):
        self.gateway.wait_task(self.gateway.submit("t"))
        reply = self.gateway.get("/metrics")
        self.assertEqual(reply.status_code, 200)
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain"))
        for line in reply.text.splitlines():
            self.assertRegex(line, r"^(#.*|[a-zA-Z_:][\w:]*(\{.*\})? [-+.\dNa-zI]+)$")
        self.assertIn('completed', reply.text)

    def test_recovery_with_nothing_lost(self):
        recovery = self.gateway.ok("GET", "/recovery")
        self.assertNotIn(NOWHERE, json.dumps(recovery))
        numbers = [value for value in recovery.values() if isinstance(value, int)]
        self.assertTrue(numbers)
        self.assertEqual(sum(numbers), 0, recovery)

    def test_estimate(self):
        estimate = self.gateway.ok("POST", "/estimate", {"count": 100})
        self.assertLessEqual(estimate["low_s"], estimate["finish_in_s"])
        self.assertLessEqual(estimate["finish_in_s"], estimate["high_s"])
        self.assertIn("one", estimate["per_provider"])
        more = self.gateway.ok("POST", "/estimate", {"count": 1000})
        self.assertGreater(more["finish_in_s"], estimate["finish_in_s"])
        for body, word in [({}, "count"), ({"count": "x"}, "count"), ({"count": 1.5}, "count"),
                           ({"count": 1, "provider": "nobody"}, "provider"),
                           ({"count": -5}, "count")]:
            self.reject("POST", "/estimate", body, 422, word)

    def test_estimate_is_of_the_lanes_in_use(self):
        """A task that waits for a provider without a lane takes no estimate away."""
        self.gateway.submit("stands still", provider="hunyuan")
        estimate = self.gateway.ok("POST", "/estimate", {"count": 100, "provider": "one"})
        self.assertIsNotNone(estimate["finish_in_s"])
        self.assertNotIn("hunyuan", estimate["per_provider"])
        self.assertNotIn("practice", estimate["per_provider"])
        self.assertNotIn("nvidia", estimate["per_provider"])
        estimate = self.gateway.ok("POST", "/estimate", {"count": 100, "provider": "hunyuan"})
        self.assertIsNone(estimate["finish_in_s"])

    def test_providers(self):
        self.gateway.wait_task(self.gateway.submit("t"))
        listed = self.gateway.ok("GET", "/providers")["providers"]
        self.assertIn("one", [provider["name"] for provider in listed])
        one = self.gateway.ok("GET", "/providers/one")
        self.assertEqual(one["name"], "one")
        self.assertEqual(one["max_concurrency"], 5)
        tested = self.gateway.request("POST", "/providers/one/test")
        self.assertEqual(tested.status_code, 200, tested.text)
        self.assertIn("mock-model", tested.text)
        self.gateway.ok("POST", "/providers/one/resume")

    def test_queue_goes_on_after_all_that(self):
        """The sum of wrong calls has broken nothing."""
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            for path in ("/tasks", "/projects", "/providers/one/x", "/tasks/%ff", "/%2e%2e"):
                reply = self.gateway.request(method, path, data=b"\x00\xff")
                self.assertLess(reply.status_code, 500)
        self.assertEqual(self.gateway.wait_task(self.gateway.submit("still"))["status"],
                         "completed")


if __name__ == "__main__":
    frame.main()
