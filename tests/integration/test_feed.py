# SPDX-License-Identifier: GPL-3.0-or-later
"""The change feed: whoever follows it ends with the same view as one who asks for each task."""

import random
import threading
import time

import requests

import frame

SHOWN = ("task_id", "project_id", "status", "error", "created_at", "started_at", "finished_at",
         "attempts", "revision", "metadata")


class Follower(threading.Thread):
    """Follows the feed by long-polls and keeps a view of every task."""

    def __init__(self, url, limit, project=None):
        super().__init__(daemon=True)
        self.url = url
        self.limit = limit
        self.project = project
        self.view = {}
        self.removed = set()
        self.projects = {}
        self.revision = 0
        self.store = None
        self.stop_at = None
        self.trouble = []

    def run(self):
        session = requests.Session()
        while self.stop_at is None or self.revision < self.stop_at:
            params = {"since": self.revision, "wait": 5, "limit": self.limit}
            if self.project:
                params["project"] = self.project
            try:
                page = session.get(self.url + "/tasks", params=params, timeout=30).json()
                self.take(page)
            except Exception as error:  # told by the case, in its own thread
                self.trouble.append(repr(error))
                return
        session.close()

    def take(self, page):
        if page.get("reset"):
            self.view.clear()
            self.revision = 0
            return
        revisions = [task["revision"] for task in page["tasks"]]
        if revisions != sorted(set(revisions)):
            self.trouble.append(f"not in revision order: {revisions}")
        if revisions and revisions[0] <= self.revision:
            self.trouble.append(f"revision {revisions[0]} again after {self.revision}")
        if len(page["tasks"]) > self.limit:
            self.trouble.append(f"{len(page['tasks'])} entries, limit {self.limit}")
        if page["revision"] < self.revision:
            self.trouble.append(f"head went back from {self.revision} to {page['revision']}")
        if page["more"] and page["tasks"] and not page["projects"] and not page["removed"] \
                and page["revision"] != revisions[-1]:
            self.trouble.append("revision is not the last entry's while more")
        for task in page["tasks"]:
            self.view[task["task_id"]] = task
            self.removed.discard(task["task_id"])
        for task_id in page["removed"]:
            self.view.pop(task_id, None)
            self.removed.add(task_id)
        for project in page["projects"]:
            self.projects[project["project_id"]] = project
        self.revision = page["revision"]


class Feed(frame.Case):
    def test_five_followers_end_with_the_truth(self):
        mock = self.mock(seed=3, providers={
            "a": {"latency": {"median": 0.03, "sigma": 0.6}, "every": [9, {"do": "refused"}]},
            "b": {"latency": {"median": 0.08, "sigma": 0.6},
                  "every": [7, {"do": "status", "status": 500}]}})
        gateway = self.daemon(config=self.lanes(
            mock, "max-concurrency=6", a={"latency": 0.05}, b={"latency": 0.1}))
        followers = [Follower(gateway.url, limit) for limit in (500, 500, 7, 100, 1)]
        for follower in followers:
            follower.start()
        ids, lock, trouble = [], threading.Lock(), []
        source = random.Random(11)

        def submit():
            session = requests.Session()
            for number in range(60):
                if number % 10 == 9:
                    reply = session.post(gateway.url + "/tasks/batch", timeout=30, json={
                        "tasks": [f"batch {number} {n}" for n in range(5)], "project": "batch"})
                    new = reply.json()["task_ids"]
                else:
                    reply = session.post(gateway.url + "/tasks", timeout=30,
                                         json={"content": f"single {number}"})
                    new = [reply.json()["task_id"]]
                with lock:
                    ids.extend(new)
                time.sleep(0.005)

        def act(verb, times):
            session = requests.Session()
            for _ in range(times):
                time.sleep(0.01)
                with lock:
                    task_id = source.choice(ids) if ids else None
                if task_id is None:
                    continue
                if verb == "cancel":
                    reply = session.delete(f"{gateway.url}/tasks/{task_id}", timeout=30)
                else:
                    reply = session.post(f"{gateway.url}/tasks/{task_id}/retry", timeout=30)
                if reply.status_code not in (200, 409):
                    trouble.append((verb, reply.status_code, reply.text))

        workers = [threading.Thread(target=submit) for _ in range(2)]
        workers += [threading.Thread(target=act, args=("cancel", 60)),
                    threading.Thread(target=act, args=("retry", 120))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        self.assertEqual(trouble, [])

        cancelled = gateway.submit('cancelled [[mock {"do": "hang"}]]')
        gateway.ok("DELETE", f"/tasks/{cancelled}")
        ids.append(cancelled)

        def at_rest():
            counts = {"queued": 0, "running": 0}
            for project in gateway.ok("GET", "/projects")["projects"]:
                for name in counts:
                    counts[name] += project["counts"][name]
            return not any(counts.values())

        frame.wait_for(at_rest, "all tasks to end", 60, 0.2)
        truth = {task_id: gateway.task(task_id) for task_id in ids}
        head = gateway.ok("GET", "/tasks?limit=1000")["revision"]
        for follower in followers:
            follower.stop_at = head
        gateway.submit("wakes the last wait")
        for follower in followers:
            follower.join(30)
            self.assertFalse(follower.is_alive(), "a follower does not come to the head")
            self.assertEqual(follower.trouble, [])
        kinds = {task["status"] for task in truth.values()}
        self.assertLessEqual({"completed", "cancelled"}, kinds)
        for follower in followers:
            for task_id, task in truth.items():
                seen = follower.view[task_id]
                self.assertEqual({name: seen[name] for name in SHOWN},
                                 {name: task[name] for name in SHOWN})
                size = len((task["result"] or "").encode())
                self.assertEqual(seen["result_size"], size)
        self.assertEqual(mock.stats()["breaches"], 0)

    def test_reset_for_strangers(self):
        gateway = self.daemon("--no-workers")
        gateway.submit("a")
        head = gateway.ok("GET", "/tasks")["revision"]
        page = gateway.ok("GET", f"/tasks?since={head + 1000}&wait=60", timeout=10)
        self.assertIs(page["reset"], True)
        page = gateway.ok("GET", f"/tasks?since={head}")
        self.assertNotIn("reset", {key for key, value in page.items() if value is True})

    def test_removal_after_a_restart(self):
        gateway = self.daemon("--no-workers")
        ids = gateway.ok("POST", "/tasks/batch", {"tasks": ["a", "b", "c"]})["task_ids"]
        head = gateway.ok("GET", "/tasks")["revision"]
        store = gateway.ok("GET", "/tasks")["store"]
        for task_id in ids[:2]:
            gateway.ok("DELETE", f"/tasks/{task_id}")
        gateway.ok("POST", "/tasks/remove", {"task_ids": ids[:1]})
        gateway.terminate()
        gateway = self.daemon("--no-workers")
        page = gateway.ok("GET", f"/tasks?since={head}")
        self.assertEqual(page["store"], store)
        self.assertEqual(page["removed"], ids[:1])
        self.assertEqual([task["task_id"] for task in page["tasks"]], ids[1:2])
        self.assertEqual(page["tasks"][0]["status"], "cancelled")

    def test_filters_follow_a_project(self):
        mock = self.mock()
        gateway = self.daemon(config=self.lanes(mock, one={}))
        follower = Follower(gateway.url, 500, project="mine")
        given = gateway.ok("POST", "/tasks/batch", {"tasks": ["a", "b"], "project": "mine"})
        gateway.submit("elsewhere")
        follower.start()
        gateway.wait_project(given["project_id"])
        follower.stop_at = gateway.ok("GET", "/tasks?project=mine")["revision"]
        gateway.submit("wake", project="mine")
        follower.join(30)
        self.assertFalse(follower.is_alive())
        self.assertEqual(follower.trouble, [])
        self.assertTrue(set(given["task_ids"]) <= set(follower.view))
        self.assertNotIn("elsewhere", [task["content"] for task in follower.view.values()])

    def test_change_is_seen_soon(self):
        gateway = self.daemon("--no-workers")
        spans = []
        for _ in range(10):
            head = gateway.ok("GET", "/tasks")["revision"]
            seen = []

            def poll():
                requests.get(f"{gateway.url}/tasks?since={head}&wait=30", timeout=40)
                seen.append(time.monotonic())

            thread = threading.Thread(target=poll)
            thread.start()
            time.sleep(0.05)
            start = time.monotonic()
            gateway.submit("news")
            thread.join(40)
            spans.append(seen[0] - start)
        self.diagnose(f"a change is seen after {sorted(spans)[5] * 1000:.1f} ms (median), "
                      f"{max(spans) * 1000:.1f} ms at most")


if __name__ == "__main__":
    frame.main()
