# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP table, with right and with wrong input: tasks."""

import json

import frame
from http_case import NOWHERE, TIME, HttpCase


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
        for to in (None, "up", 4096, -4096, 1.5, [], {}):
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


if __name__ == "__main__":
    frame.main()
