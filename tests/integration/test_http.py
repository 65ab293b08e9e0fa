# SPDX-License-Identifier: GPL-3.0-or-later
"""Every line of the HTTP table, with right and with wrong input."""

import csv
import io
import json
import re

import frame

TASK_MEMBERS = {"task_id", "project_id", "status", "content", "result", "error", "created_at",
                "started_at", "finished_at", "attempts", "revision", "metadata"}
PROJECT_MEMBERS = {"project_id", "name", "created_at", "finished_at", "concurrency", "paused",
                   "counts", "usage", "revision"}
COUNTS = {"queued", "running", "completed", "failed", "cancelled"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
NOWHERE = "0191e0a0-0000-7000-8000-000000000000"
CSV_HEADER = ("index,task_id,status,content,result,error_code,error_message,model,provider,"
              "attempts,created_at,finished_at,duration_ms")


class HttpCase(frame.Case):
    """A daemon with one lane at the mock."""

    lane = {}

    def setUp(self):
        super().setUp()
        self.provider = self.mock()
        self.gateway = self.daemon(config=self.lanes(self.provider, one=self.lane))

    def hold(self):
        """Lets no further call be answered, so that tasks stay where they are."""
        self.provider.provider("one", always={"do": "hang"})

    def fail_next(self, count=1):
        self.provider.provider("one", first=[{"do": "refused", "form": "zhipu"}] * count)

    def check_task(self, task):
        self.assertEqual(TASK_MEMBERS - set(task), set())
        self.assertIn(task["status"], ("queued", "running", "completed", "failed", "cancelled"))
        for name in ("created_at", "started_at", "finished_at"):
            if task[name] is not None:
                self.assertRegex(task[name], TIME)
        self.assertIsInstance(task["metadata"], dict)
        self.assertIn("model", task["metadata"])
        self.assertIsInstance(task["revision"], int)

    def reject(self, method, path, body, status, *words):
        """A wrong call with a JSON body, text or bytes; the problem it is answered with."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        if isinstance(data, str):
            data = data.encode("utf-8")
        reply = self.gateway.request(method, path, data=data,
                                     headers={"Content-Type": "application/json"})
        return self.problem(reply, status, *words)


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


class Tasks(HttpCase):
    def test_unknown_ids_and_methods(self):
        for path in (f"/tasks/{NOWHERE}", "/tasks/nothing", "/tasks/a%20b", "/tasks/" + "a" * 65,
                     "/tasks/%00", "/tasks/..%2f..%2fetc", f"/tasks/{NOWHERE}/attempts",
                     f"/projects/{NOWHERE}", f"/projects/{NOWHERE}/results", "/nothing", "/",
                     "/tasks/x/y/z", "/providers/nobody"):
            with self.subTest(path=path):
                self.problem(self.gateway.get(path), 404)
        for method, path in [("DELETE", f"/tasks/{NOWHERE}"),
                             ("POST", f"/tasks/{NOWHERE}/retry"),
                             ("POST", f"/projects/{NOWHERE}/cancel"),
                             ("POST", f"/projects/{NOWHERE}/pause"),
                             ("DELETE", f"/projects/{NOWHERE}"),
                             ("POST", "/providers/nobody/test"),
                             ("POST", "/providers/nobody/resume"),
                             ("DELETE", "/providers/nobody")]:
            with self.subTest(method=method, path=path):
                self.problem(self.gateway.request(method, path), 404)
        for method, path in [("PUT", "/tasks"), ("DELETE", "/tasks"), ("PATCH", "/tasks"),
                             ("PUT", "/tasks/batch"),
                             ("PUT", f"/tasks/{NOWHERE}"), ("DELETE", "/health"),
                             ("POST", "/health"), ("POST", "/metrics"), ("PUT", "/projects"),
                             ("GET", f"/tasks/{NOWHERE}/retry"), ("DELETE", "/recovery"),
                             ("GET", "/estimate"), ("POST", "/attempts"),
                             ("PATCH", "/providers/one"), ("BREW", "/tasks")]:
            with self.subTest(method=method, path=path):
                reply = self.gateway.request(method, path)
                self.problem(reply, 405)
                self.assertTrue(reply.headers.get("Allow"), "405 without Allow")

    def test_cancel(self):
        self.hold()
        running = self.gateway.submit("running")
        self.gateway.wait_task(running, ("running",))
        task = self.gateway.ok("DELETE", f"/tasks/{running}")
        self.check_task(task)
        self.assertEqual(task["status"], "cancelled")
        self.assertRegex(task["finished_at"], TIME)
        self.problem(self.gateway.request("DELETE", f"/tasks/{running}"), 409)
        frame.wait_for(lambda: self.provider.stats("one")["client_gone"] == 1,
                       "the call to be aborted")
        queued = self.gateway.submit("queued", provider="one", project="held")
        self.gateway.ok("DELETE", f"/tasks/{queued}")
        self.assertEqual(self.gateway.task(queued)["status"], "cancelled")

    def test_cancel_of_an_ended_task(self):
        done = self.gateway.submit("done")
        self.gateway.wait_task(done)
        self.problem(self.gateway.request("DELETE", f"/tasks/{done}"), 409)
        self.assertEqual(self.gateway.task(done)["status"], "completed")

    def test_retry(self):
        self.fail_next()
        failed = self.gateway.submit("t")
        task = self.gateway.wait_task(failed)
        self.assertEqual(task["status"], "failed")
        self.assertEqual(task["error"]["code"], "refused")
        self.assertTrue(task["error"]["message"])
        self.assertIsNone(task["result"])
        task = self.gateway.ok("POST", f"/tasks/{failed}/retry")
        self.check_task(task)
        task = self.gateway.wait_task(failed)
        self.assertEqual(task["status"], "completed")
        self.assertIsNone(task["error"])
        self.assertEqual(task["attempts"], 2)
        self.problem(self.gateway.post(f"/tasks/{failed}/retry", {}), 409)
        self.hold()
        queued = self.gateway.submit("cancelled later")
        self.gateway.wait_task(queued, ("running",))
        self.problem(self.gateway.post(f"/tasks/{queued}/retry", {}), 409)
        self.gateway.ok("DELETE", f"/tasks/{queued}")
        self.provider.provider("one", always=None)
        frame.wait_for(lambda: self.gateway.post(f"/tasks/{queued}/retry", {
            "provider": "one", "model": "mock-model"}).status_code == 200, "the attempt's end", 40)
        self.assertEqual(self.gateway.wait_task(queued)["status"], "completed")
        self.reject("POST", f"/tasks/{queued}/retry", [], 422)
        self.reject("POST", f"/tasks/{queued}/retry", "{", 400)

    def test_retry_with_a_wrong_pin(self):
        self.fail_next()
        failed = self.gateway.submit("t")
        self.gateway.wait_task(failed)
        self.reject("POST", f"/tasks/{failed}/retry", {"provider": "nobody"}, 422, "provider")
        self.reject("POST", f"/tasks/{failed}/retry", {"model": "unheard-of"}, 422, "model")
        self.reject("POST", f"/tasks/{failed}/retry", {"provider": 1}, 422, "provider")
        self.assertEqual(self.gateway.task(failed)["status"], "failed")

    def test_remove_and_restore(self):
        ids = self.gateway.ok("POST", "/tasks/batch", {"tasks": ["a", "b", "c"]})["task_ids"]
        for task_id in ids:
            self.gateway.wait_task(task_id)
        head = self.gateway.ok("GET", "/tasks?since=0")["revision"]
        removed = self.gateway.ok("POST", "/tasks/remove", {"task_ids": ids[:2] + [NOWHERE]})
        self.assertEqual(removed["changed"], 2)
        feed = self.gateway.ok("GET", f"/tasks?since={head}")
        self.assertEqual(sorted(feed["removed"]), sorted(ids[:2]))
        feed = self.gateway.ok("GET", "/tasks?since=0")
        self.assertEqual([task["task_id"] for task in feed["tasks"]], ids[2:])
        self.assertEqual(self.gateway.ok("POST", "/tasks/remove",
                                         {"task_ids": ids[:2]})["changed"], 0)
        restored = self.gateway.ok("POST", "/tasks/restore", {"task_ids": ids[:1]})
        self.assertEqual(restored["changed"], 1)
        feed = self.gateway.ok("GET", "/tasks?since=0")
        self.assertEqual({task["task_id"] for task in feed["tasks"]}, {ids[0], ids[2]})
        for path in ("/tasks/remove", "/tasks/restore"):
            for body in ({}, {"task_ids": "x"}, {"task_ids": [1]}, {"task_ids": None}):
                self.reject("POST", path, body, 422, "task_ids")

    def test_move(self):
        self.gateway.ok("POST", "/tasks/batch", {"tasks": ["x"], "project": "p", "paused": True,
                                                 "concurrency": 1})
        ids = self.gateway.ok("POST", "/tasks/batch",
                              {"tasks": ["a", {"content": "b", "priority": 3}, "c"],
                               "project": "p"})["task_ids"]
        self.assertNotIn("priority", self.gateway.task(ids[0]))
        self.assertEqual(self.gateway.task(ids[1])["priority"], 3)
        head = self.gateway.ok("GET", "/tasks?since=0")["revision"]
        moved = self.gateway.ok("POST", "/tasks/move",
                                {"task_ids": [ids[2], NOWHERE, "no id"], "to": "top"})
        self.assertEqual(moved["changed"], 1)
        feed = self.gateway.ok("GET", f"/tasks?since={head}&fields=task_id,priority")
        self.assertEqual(feed["tasks"], [{"task_id": ids[2], "priority": 101}])
        self.gateway.ok("POST", "/tasks/move", {"task_ids": ids[1:2], "to": "bottom"})
        self.assertEqual(self.gateway.task(ids[1])["priority"], -101)
        self.gateway.ok("POST", "/tasks/move", {"task_ids": ids[1:2], "to": 3})
        self.gateway.ok("POST", "/projects/p/resume")
        for task_id in ids:
            self.gateway.wait_task(task_id)
        started = [self.gateway.task(task_id)["started_at"] for task_id in (ids[2], ids[0], ids[1])]
        self.assertEqual(started, sorted(started))
        ended = self.gateway.ok("POST", "/tasks/move", {"task_ids": ids, "to": "top"})
        self.assertEqual(ended["changed"], 0)
        for to in (None, "up", 128, -128, 1.5, [], {}):
            self.reject("POST", "/tasks/move", {"task_ids": ids, "to": to}, 422, "to")
        self.reject("POST", "/tasks/move", {"task_ids": ids}, 422, "to")
        self.reject("POST", "/tasks/move", {"to": "top"}, 422, "task_ids")

    def test_attempts(self):
        self.provider.provider("one", first=[{"do": "status", "status": 500, "body": "oh no"}])
        task_id = self.gateway.submit("t")
        task = self.gateway.wait_task(task_id)
        self.assertEqual(task["attempts"], 2)
        page = self.gateway.ok("GET", f"/tasks/{task_id}/attempts")
        attempts = page["attempts"] if isinstance(page, dict) else page
        self.assertEqual(len(attempts), 2)
        self.assertEqual([attempt["number"] for attempt in attempts], [1, 2])
        self.assertEqual(attempts[0]["provider"], "one")
        self.assertIn("oh no", json.dumps(attempts[0]))
        self.assertIn("server", json.dumps(attempts[0]))
        everything = self.gateway.ok("GET", "/attempts?since=0&limit=1000")
        self.assertEqual(len(everything["attempts"]), 2)
        one = self.gateway.ok("GET", "/attempts?since=0&limit=1")
        self.assertEqual(len(one["attempts"]), 1)
        self.problem(self.gateway.get("/attempts?limit=0"), 422, "limit")

    def test_feed_parameters(self):
        ids = self.gateway.ok("POST", "/tasks/batch", {
            "tasks": ["apple", "pear " * 100, "plum"], "project": "fruit"})["task_ids"]
        self.gateway.submit("bolt", project="tools")
        for task_id in ids:
            self.gateway.wait_task(task_id)
        for query, word in [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"),
                            ("wait=61", "wait"), ("wait=-1", "wait"), ("wait=x", "wait"),
                            ("since=-1", "since"), ("since=x", "since"), ("limit=", "limit")]:
            with self.subTest(query=query):
                self.problem(self.gateway.get("/tasks?" + query), 422, word)
        page = self.gateway.ok("GET", "/tasks")
        self.assertEqual(set(page) - {"reset"},
                         {"revision", "more", "store", "tasks", "projects", "removed"})
        self.assertEqual(page["store"], self.gateway.ok("GET", "/health")["store"])
        revisions = [task["revision"] for task in page["tasks"]]
        self.assertEqual(revisions, sorted(revisions))
        entry = next(task for task in page["tasks"] if task["task_id"] == ids[1])
        self.assertEqual(entry["content"], ("pear " * 100)[:200])
        self.assertEqual(entry["content_size"], 500)
        self.assertEqual(entry["result_size"], 511)
        self.assertNotIn("result", entry)
        fruit = self.gateway.ok("GET", "/tasks?project=fruit")
        self.assertEqual({task["task_id"] for task in fruit["tasks"]}, set(ids))
        found = self.gateway.ok("GET", "/tasks?q=plum")
        self.assertEqual([task["task_id"] for task in found["tasks"]], [ids[2]])
        found = self.gateway.ok("GET", "/tasks?status=failed,cancelled")
        self.assertEqual(found["tasks"], [])
        found = self.gateway.ok("GET", "/tasks?status=completed&project=fruit&limit=2")
        self.assertEqual(len(found["tasks"]), 2)
        self.assertIs(found["more"], True)
        self.assertEqual(found["revision"], found["tasks"][-1]["revision"])
        fields = self.gateway.ok("GET", "/tasks?fields=task_id,status&project=fruit")
        for task in fields["tasks"]:
            self.assertIn("task_id", task)
            self.assertNotIn("content", task)

    def test_where_a_text_stands(self):
        task_id = self.gateway.ok("POST", "/tasks", {
            "content": "a long story of a landlord " + "x" * 300 + " with a\nHidden word"})["task_id"]
        self.gateway.wait_task(task_id)
        path = f"/tasks/{task_id}?fields=task_id&q="
        found = self.gateway.ok("GET", path + "hidden")["found"]
        self.assertEqual(found["in"], "content")
        self.assertIn("with a Hidden word", found["text"])
        self.assertTrue(found["text"].startswith("…"))
        self.assertEqual(self.gateway.ok("GET", path + "nowhere"), {"task_id": task_id})
        echo = self.gateway.ok("GET", f"/tasks/{task_id}")["result"]
        word = echo.split()[0]
        if word not in "a long story":
            found = self.gateway.ok("GET", path + word)["found"]
            self.assertEqual(found["in"], "result")
        self.assertEqual(self.gateway.ok("GET", path)["task_id"], task_id)


class Projects(HttpCase):
    def project(self, tasks, **members):
        return self.gateway.ok("POST", "/tasks/batch",
                               {"tasks": tasks, "project": "p", **members})

    def test_project_as_it_is_shown(self):
        given = self.project(["a", "b"])
        project = self.gateway.wait_project(given["project_id"])
        self.assertEqual(PROJECT_MEMBERS - set(project), set())
        self.assertEqual(set(project["counts"]), COUNTS)
        self.assertEqual(project["counts"]["completed"], 2)
        self.assertEqual(project["usage"]["total_tokens"], 8)
        self.assertRegex(project["created_at"], TIME)
        self.assertRegex(project["finished_at"], TIME)
        listed = self.gateway.ok("GET", "/projects")["projects"]
        self.assertIn(given["project_id"], [entry["project_id"] for entry in listed])
        self.assertTrue(all("estimate" not in entry for entry in listed))
        self.assertEqual(len(self.gateway.ok("GET", "/projects?limit=1")["projects"]), 1)
        self.problem(self.gateway.get("/projects?limit=0"), 422, "limit")

    def test_patch(self):
        given = self.project(["a"])
        path = f"/projects/{given['project_id']}"
        changed = self.gateway.ok("PATCH", path, {"name": "Renamed", "concurrency": 3})
        self.assertEqual((changed["name"], changed["concurrency"]), ("Renamed", 3))
        self.assertIsNone(self.gateway.ok("PATCH", path, {"concurrency": None})["concurrency"])
        self.assertIs(self.gateway.ok("PATCH", path, {"paused": True})["paused"], True)
        self.assertIs(self.gateway.ok("PATCH", path, {"paused": False})["paused"], False)
        for body, word in [({"name": ""}, "name"), ({"name": "x" * 201}, "name"),
                           ({"name": NOWHERE}, "name"), ({"name": 1}, "name"),
                           ({"concurrency": 0}, "concurrency"),
                           ({"concurrency": 10_001}, "concurrency"), ({"paused": 1}, "paused"),
                           ({"paused": "yes"}, "paused")]:
            with self.subTest(body=str(body)[:40]):
                self.reject("PATCH", path, body, 422, word)
        self.gateway.ok("POST", "/tasks", {"content": "x", "project": "taken"})
        self.reject("PATCH", path, {"name": "taken"}, 409)
        self.reject("PATCH", f"/projects/{NOWHERE}", {"paused": True}, 404)

    def test_limits(self):
        given = self.project(["a", "b", "c"], paused=True)
        path = f"/projects/{given['project_id']}"
        self.assertNotIn("token_limit", self.gateway.ok("GET", path))
        self.assertEqual(self.gateway.ok("PATCH", path, {"token_limit": 1})["token_limit"], 1)
        last = given["task_ids"][1]
        self.assertEqual(self.gateway.ok("PATCH", path, {"stop_after": last})["stop_after"], last)
        changed = self.gateway.ok("PATCH", path, {"stop_after": None})
        self.assertNotIn("stop_after", changed)
        self.assertEqual(changed["token_limit"], 1)
        changed = self.gateway.ok("PATCH", path, {"token_limit": None, "paused": False})
        self.assertNotIn("token_limit", changed)
        self.gateway.wait_project(given["project_id"])
        # What was used is over it.
        changed = self.gateway.ok("PATCH", path, {"token_limit": 2})
        self.assertGreater(changed["usage"]["total_tokens"], 2)
        self.assertIs(changed["paused"], True)
        self.assertEqual(self.gateway.ok("POST", path + "/resume")["changed"], 0)
        changed = self.gateway.ok("PATCH", path, {"paused": False})
        self.assertEqual((changed["paused"], changed["token_limit"]), (True, 2))
        changed = self.gateway.ok("PATCH", path, {"paused": False, "token_limit": None})
        self.assertNotIn("token_limit", changed)
        self.assertIs(changed["paused"], False)
        self.reject("PATCH", path, {"stop_after": last}, 409)
        for body, word in [({"token_limit": 0}, "token_limit"), ({"token_limit": "x"}, "token_limit"),
                           ({"token_limit": 10 ** 13}, "token_limit"), ({"stop_after": 1}, "stop_after"),
                           ({"stop_after": NOWHERE}, "stop_after"), ({"stop_after": ""}, "stop_after"),
                           ({"stop_after": "x" * 100}, "stop_after")]:
            with self.subTest(body=str(body)[:40]):
                self.reject("PATCH", path, body, 422, word)

    def test_pause_and_resume(self):
        given = self.project(["first"])
        project = given["project_id"]
        self.gateway.wait_project(project)
        self.gateway.ok("POST", f"/projects/{project}/pause")
        task_id = self.gateway.submit("second", project=project)
        waiting = frame.wait_for(
            lambda: self.gateway.task(task_id)["metadata"].get("waiting"), "the reason to wait")
        self.assertEqual(waiting["reason"], "paused")
        self.assertEqual(self.gateway.task(task_id)["status"], "queued")
        self.assertEqual(self.provider.stats("one")["calls"], 1)
        self.gateway.ok("POST", f"/projects/{project}/resume", {})
        self.assertEqual(self.gateway.wait_task(task_id)["status"], "completed")

    def test_cancel_and_retry(self):
        self.hold()
        given = self.project([f"t{n}" for n in range(8)])
        path = f"/projects/{given['project_id']}"
        frame.wait_for(lambda: self.provider.stats("one")["in_flight"] == 5, "five calls")
        self.problem(self.gateway.request("DELETE", path), 409)
        self.assertEqual(self.gateway.ok("POST", path + "/cancel")["changed"], 8)
        self.assertEqual(self.gateway.ok("POST", path + "/cancel")["changed"], 0)
        project = self.gateway.ok("GET", path)
        self.assertEqual(project["counts"]["cancelled"], 8)
        self.assertEqual(self.gateway.ok("POST", path + "/retry", {})["changed"], 0)

    def test_retry_of_the_failed(self):
        self.fail_next(2)
        given = self.project(["a", "b", "c"], concurrency=1)
        path = f"/projects/{given['project_id']}"
        self.assertEqual(self.gateway.wait_project(given["project_id"])["counts"]["failed"], 2)
        self.assertEqual(self.gateway.ok("POST", path + "/retry",
                                         {"code": "timeout"})["changed"], 0)
        self.assertEqual(self.gateway.ok("POST", path + "/retry",
                                         {"code": "refused"})["changed"], 2)
        project = self.gateway.wait_project(given["project_id"])
        self.assertEqual(project["counts"]["completed"], 3)

    def test_serial_project_keeps_order(self):
        self.provider.provider("one", latency=0.05)
        given = self.project([f"t{n}" for n in range(6)], concurrency=1)
        self.gateway.wait_project(given["project_id"])
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 1)
        self.assertEqual([call["content"] for call in self.provider.calls()],
                         [f"t{n}" for n in range(6)])

    def test_delete(self):
        given = self.project(["a"])
        self.gateway.wait_project(given["project_id"])
        reply = self.gateway.request("DELETE", f"/projects/{given['project_id']}")
        self.assertIn(reply.status_code, (200, 204))
        self.problem(self.gateway.get(f"/projects/{given['project_id']}"), 404)
        self.problem(self.gateway.get(f"/tasks/{given['task_ids'][0]}"), 404)

    def test_results_in_every_format(self):
        self.fail_next()
        contents = ["bad", 'comma, "quote"', "line\nline ü", "last"]
        given = self.project(
            [{"content": content, "metadata": {"row": n}} for n, content in enumerate(contents)],
            concurrency=1)
        self.gateway.wait_project(given["project_id"])
        path = f"/projects/{given['project_id']}/results"
        tasks = [self.gateway.task(task_id) for task_id in given["task_ids"]]

        reply = self.gateway.get(path)
        self.assertEqual(reply.status_code, 200)
        text = reply.content.decode()
        self.assertEqual(json.loads(text), tasks)
        self.assertEqual(text, json.dumps(tasks, ensure_ascii=False, indent=2) + "\n")
        self.assertEqual(self.gateway.get(path + "?format=json").content, reply.content)

        lines = self.gateway.get(path + "?format=jsonl").content.decode().split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertEqual([json.loads(line) for line in lines], tasks)

        text = self.gateway.get(path + "?format=csv").content.decode()
        self.assertEqual(text.split("\n")[0], CSV_HEADER + ",row")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual([row["content"] for row in rows], contents)
        self.assertEqual([row["row"] for row in rows], ["0", "1", "2", "3"])
        self.assertEqual(rows[0]["error_code"], "refused")
        self.assertEqual(rows[1]["result"], "answer to: " + contents[1])
        self.assertNotIn("\r\n", text)

        text = self.gateway.get(path + "?format=md").content.decode()
        for content in ("comma", "answer to: last"):
            self.assertIn(content, text)
        self.assertTrue(text.startswith("#"))

        some = self.gateway.get(path + "?status=failed").json()
        self.assertEqual([task["task_id"] for task in some], given["task_ids"][:1])
        self.problem(self.gateway.get(path + "?format=xml"), 422, "format")


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
