# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP table, with right and with wrong input: projects and their results."""

import csv
import io
import json

import frame
from http_case import NOWHERE, TIME, HttpCase

PROJECT_MEMBERS = {"project_id", "name", "created_at", "finished_at", "concurrency", "paused",
                   "counts", "usage", "revision"}
COUNTS = {"queued", "running", "completed", "failed", "cancelled"}
CSV_HEADER = ("index,task_id,status,content,result,error_code,error_message,model,provider,"
              "attempts,created_at,finished_at,duration_ms")


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


if __name__ == "__main__":
    frame.main()
