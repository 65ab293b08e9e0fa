# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue moves from the embedded engine to Redis and back: nothing is lost, nothing runs twice,
whoever is killed in between runs the same command again."""

import json
import os
import random
import re
import sqlite3
import subprocess

import frame

SEED = int(os.environ.get("GW_TEST_SEED", random.randrange(10 ** 6)))


class Migration(frame.Case):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.socket = os.path.join(self.home.path, "redis.sock")
        self.uri = f"redis+unix://{self.socket}"
        self.redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--dir", self.home.path], env={"PATH": os.environ["PATH"]}))
        self.redis.wait_line(r"ready to accept connections at")

    def cli(self, *arguments):
        return subprocess.run(["redis-cli", "-s", self.socket, *arguments], capture_output=True,
                              text=True, check=True, timeout=30).stdout.strip()

    def start_move(self, *arguments):
        return self.daemon_unready(*arguments, port=None)

    def move(self, to, code=0, *more):
        mover = self.start_move("--migrate-to", to, *more)
        self.assertEqual(mover.wait(120), code, mover.stderr)
        return mover.stderr

    def to_redis(self, code=0):
        return self.move(self.uri, code)

    def to_embedded(self, code=0):
        return self.move("embedded", code, "--redis", self.uri)

    def stop(self, gateway):
        self.assertEqual(gateway.terminate(), 0, gateway.stderr)

    # --- Everything that can be seen of a queue. ---

    def pages(self, gateway, path, member):
        since, found = 0, []
        while True:
            page = gateway.ok("GET", f"{path}{'&' if '?' in path else '?'}since={since}&limit=500")
            found += page[member]
            if not page["more"]:
                return found, page
            since = page.get("revision", page.get("next"))

    def see(self, gateway, whole=True):
        feed, last = self.pages(gateway, "/tasks?fields=task_id,revision,content_size,result_size",
                                "tasks")
        seen = {"store": last["store"], "revision": last["revision"],
                "feed": [(task["task_id"], task["revision"]) for task in feed]}
        ids = [task["task_id"] for task in feed]
        if not whole:
            ids = self.random.sample(ids, min(200, len(ids)))
        seen["tasks"] = {task_id: gateway.task(task_id) for task_id in sorted(ids)}
        projects = gateway.ok("GET", "/projects?limit=500")["projects"]
        seen["projects"] = projects
        seen["attempts"] = self.pages(gateway, "/attempts", "attempts")[0]
        seen["recovery"] = gateway.ok("GET", "/recovery")
        seen["results"] = {project["name"]: re.sub(r'"waiting":\{[^}]*\},', "", gateway.get(
            f"/projects/{project['project_id']}/results?format=jsonl").text) for project in projects
            } if whole else {}
        seen["removed"] = gateway.ok("GET", "/tasks?since=1&limit=1000&fields=task_id")["removed"]
        for name in ("gangway_attempts_sent_total", "gangway_attempts_uncertain_total",
                     "gangway_answers_extra_total"):
            metrics = gateway.get("/metrics").text
            seen[name] = re.search(rf"^{name} (\d+)$", metrics, re.MULTILINE).group(1)
        for provider in gateway.ok("GET", "/providers")["providers"]:
            seen[f"provider {provider['name']}"] = {
                name: value for name, value in provider.items()
                if name not in ("in_flight", "waiting", "ghosts", "sends_in_window", "workers")}
        # What the clock alone changes; tests of limits look at those.
        for task in seen["tasks"].values():
            task["metadata"].pop("waiting", None)
        return seen

    def assert_same(self, before, after):
        self.assertEqual(set(before), set(after))
        for name in before:
            self.assertEqual(before[name], after[name], name)

    # --- A queue with something of everything. ---

    def configured(self, mock):
        return self.lanes(mock, workers="lease-seconds=2\nmax-concurrency=6\nmax-attempts=2",
                          one={"max_concurrency": 4, "latency": 0.2},
                          two={"max_concurrency": 2, "requests_per_minute": 30, "latency": 0.2,
                               "model": "second-model"})

    def fill(self, mock):
        """Leaves an embedded queue whose last engine was killed, and tells its configuration and
        what was submitted under a key."""
        config = self.configured(mock)
        gateway = self.daemon(config=config)
        done = gateway.ok("POST", "/tasks/batch", {"project": "done ✓", "tasks": [
            {"content": "ünïcödé \U0001f600 " + "long " * 300, "metadata": {"row": [1, {"a": "ß"}]}},
            {"content": "pinned", "provider": "two"},
            *[f"plain {n}" for n in range(12)],
            '[[mock {"do": "status", "status": 400}]] refused',
            '[[mock {"do": "status", "status": 500}]] again and again']})
        gateway.wait_project(done["project_id"], 60)
        gone = gateway.ok("POST", "/tasks/batch", {"project": "gone", "tasks": ["a", "b"]})
        gateway.wait_project(gone["project_id"])
        gateway.ok("DELETE", f"/projects/{gone['project_id']}")
        removed = gateway.submit("removed, for an hour", project="done ✓")
        gateway.wait_task(removed)
        gateway.ok("POST", "/tasks/remove", {"task_ids": [removed]})
        key = {"Idempotency-Key": "a key"}
        body = json.dumps({"project": "later", "paused": True, "concurrency": 3, "tasks": [
            {"content": f"later {n}", "priority": n % 5 - 2} for n in range(30)]})
        later = gateway.request("POST", "/tasks/batch", data=body, headers={
            **key, "Content-Type": "application/json"}).json()
        for task_id in later["task_ids"][:3]:
            gateway.ok("DELETE", f"/tasks/{task_id}")
        gateway.ok("POST", "/tasks/move", {"task_ids": later["task_ids"][20:], "to": "top"})
        serial = gateway.ok("POST", "/tasks/batch", {
            "project": "one by one", "concurrency": 1, "paused": True, "tasks": ["first", "second"]})
        gateway.ok("POST", "/tasks/move", {"task_ids": serial["task_ids"][:1], "to": "bottom"})
        # Calls that nobody will see the end of.
        gateway.ok("POST", "/tasks/batch", {"project": "in flight", "tasks": [
            '[[mock {"do": "hang"}]] %d' % n for n in range(6)]})
        frame.wait_for(lambda: sum(one["in_flight"] for one in mock.stats()["providers"].values())
                       >= 4, "calls in flight")
        gateway.kill()
        return config, body, later

    def test_there_and_back(self):
        mock = self.mock(providers={"one": {"concurrency": 20, "latency": 0.02},
                                    "two": {"concurrency": 20, "latency": 0.02}})
        _config, body, later = self.fill(mock)
        gateway = self.daemon("--no-workers")
        before = self.see(gateway)
        self.assertGreaterEqual(len(before["recovery"]["attempts"]), 4)
        self.assertGreater(len(before["removed"]), 2)
        statuses = {task["status"] for task in before["tasks"].values()}
        self.assertEqual(statuses, {"queued", "completed", "failed", "cancelled"})
        self.stop(gateway)

        said = self.to_redis()
        self.assertIn("nothing is missing", said)
        self.assertIn("kept as a backup", said)
        gateway = self.daemon("--redis", self.uri, "--no-workers")
        self.assert_same(before, self.see(gateway))
        # The key is still known, and so is a removed task.
        again = gateway.request("POST", "/tasks/batch", data=body, headers={
            "Idempotency-Key": "a key", "Content-Type": "application/json"}).json()
        self.assertEqual(again["task_ids"], later["task_ids"])
        other = gateway.request("POST", "/tasks/batch", data=body + " ", headers={
            "Idempotency-Key": "a key", "Content-Type": "application/json"})
        self.assertEqual(other.status_code, 409)
        self.stop(gateway)

        # The copy that is left is not opened, and says where the queue is.
        refused = self.daemon_unready("--no-workers")
        self.assertEqual(refused.wait(), 2)
        self.assertIn(f"was moved to {self.uri}", self.one_clear_line(refused))
        self.assertIn("was moved to", self.to_redis(3))

        kept = self.home.file("data/gangway/undelivered/1.outcome", "an answer")
        self.assertIn("1 answers in", self.to_embedded(3))
        os.remove(kept)
        said = self.to_embedded()
        self.assertIn("nothing is missing", said)
        gateway = self.daemon("--no-workers")
        self.assert_same(before, self.see(gateway))
        self.assertNotIn("before; what waits", gateway.stderr)
        self.stop(gateway)
        self.assertEqual([name for name in os.listdir(self.home.data) if "before" in name][:2],
                         [name for name in os.listdir(self.home.data) if "before" in name])
        refused = self.daemon_unready("--redis", self.uri)
        self.assertEqual(refused.wait(), 2)
        self.assertIn("was moved from this Redis to", refused.stderr)
        self.assertIn("was moved to", self.to_embedded(3))

        # And there once more, over the copy; then the rest of the tasks is done, each once.
        self.to_redis()
        gateway = self.daemon("--redis", self.uri, "--no-workers")
        gateway.ok("POST", "/projects/in%20flight/cancel")
        self.stop(gateway)
        gateway = self.daemon("--redis", self.uri)
        self.assertEqual(gateway.ok("GET", "/tasks?since=0&limit=1")["store"], before["store"])
        project = gateway.ok("POST", f"/projects/{later['project_id']}/resume")
        self.assertEqual(gateway.wait_project(later["project_id"], 60)["counts"]["completed"], 27,
                         project)
        bought = mock.bought()
        self.assertEqual({name: count for name, count in bought.items() if name.startswith("later")},
                         {f"later {n}": 1 for n in range(3, 30)})

    def test_limits_hold_over_a_move(self):
        mock = self.mock(providers={"one": {"concurrency": 4, "rpm": 5, "latency": 0.01}})
        gateway = self.daemon(config=self.lanes(mock, workers="lease-seconds=2", one={
            "max_concurrency": 4, "requests_per_minute": 5, "latency": 0.05}))
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(5)],
                                                   "project": "run"})
        gateway.wait_project(given["project_id"])
        for there in (True, False):
            self.stop(gateway)
            if there:
                self.to_redis()
                gateway = self.daemon("--redis", self.uri)
            else:
                self.to_embedded()
                gateway = self.daemon()
            task_id = gateway.submit(f"one more {there}")

            def waits():
                task = gateway.task(task_id)
                return task["metadata"].get("waiting", {}).get("reason") == "window"

            frame.wait_for(waits, "the window holds it back")
            provider = gateway.ok("GET", "/providers/one")
            self.assertEqual(provider["sends_in_window"], 5, provider)
        stats = mock.stats("one")
        self.assertEqual((stats["calls"], stats["breaches"]), (5, 0), stats)

    @staticmethod
    def wait_said(gateway, words):
        """Standard error comes by a thread of its own."""
        frame.wait_for(lambda: words in gateway.stderr, f"{words!r} on standard error")

    def test_refused(self):
        gateway = self.daemon("--no-workers")
        gateway.submit("mine")
        self.assertIn("in use", self.to_redis(3))
        self.stop(gateway)
        # A gateway on Redis that has nothing to do holds no lease, but is seen.
        gateway = self.daemon("--redis", self.uri, "--no-workers")
        frame.wait_for(lambda: self.cli("pubsub", "numsub", "gangway:events:0").endswith("1"),
                       "it listens")
        self.assertIn("use the queue", self.to_redis(3))
        self.wait_said(gateway, "1 unfinished tasks wait in the queue")
        gateway.submit("theirs")
        self.stop(gateway)
        for said in (self.to_redis(3), self.to_embedded(3)):
            self.assertIn("two queues cannot become one", said)
        # Both go on as before, and who forgets one hears of it.
        for arguments in ((), ("--redis", self.uri)):
            gateway = self.daemon("--no-workers", *arguments)
            self.wait_said(gateway, "1 unfinished tasks wait in the queue" if arguments
                           else f"used the queue on {self.uri} before")
            self.assertEqual(len(gateway.ok("GET", "/tasks")["tasks"]), 1)
            self.stop(gateway)
        self.assertIn("There is no queue in", self.move(self.uri, 3, "--data-dir", os.path.join(
            self.home.path, "nothing")))
        self.assertIn("which Redis", self.move("redis", 2))
        self.assertIn("There is no such socket", self.move(self.uri + ".not", 3))

    def test_killed_in_the_middle(self):
        """10 000 tasks; kill -9 at any moment: the source opens, or the same command does the rest."""
        self.diagnose(f"GW_TEST_SEED={SEED}")
        gateway = self.daemon("--no-workers", config="")
        for part in range(4):
            gateway.ok("POST", "/tasks/batch", {"project": f"part {part}", "tasks": [
                f"task {part} {n}" for n in range(2500)]})
        before = self.see(gateway, whole=False)
        self.stop(gateway)

        for there in (True, False):
            command = ["--migrate-to", self.uri] if there else ["--migrate-to", "embedded",
                                                               "--redis", self.uri]
            # In the first second of copying, and at some time after.
            for place in ("copied", "random"):
                mover = self.start_move(*command)
                # Each waits until what a killed one held is free.
                if place == "random":
                    frame.wait_for(lambda: "moving 10000" in mover.stderr or not mover.running(),
                                   "it moves")
                    try:
                        mover.child.wait(self.random.random() * 3)
                    except subprocess.TimeoutExpired:
                        pass
                else:
                    frame.wait_for(lambda: f"tasks {place}" in mover.stderr or not mover.running(),
                                   place)
                if mover.running():
                    mover.kill()
                    self.assert_source_or_finish(there, mover.stderr)
                if not self.is_there(there):
                    continue
                break
            if not self.is_there(there):
                self.assertIn("nothing is missing", self.to_redis() if there else self.to_embedded())
            arguments = ["--redis", self.uri] if there else []
            gateway = self.daemon("--no-workers", *arguments)
            after = self.see(gateway, whole=False)
            for name in ("store", "revision", "feed", "projects"):
                self.assertEqual(before[name], after[name], name)
            self.stop(gateway)

    def is_there(self, there):
        """Whether the move has reached its end, by what is at the target."""
        if there:
            return self.cli("exists", "gangway:head") == "1"
        mark = os.path.join(self.home.data, "moved")
        return not os.path.exists(mark) and not os.path.exists(
            os.path.join(self.home.data, "queue.db.moving"))

    def assert_source_or_finish(self, there, said):
        """After a kill: at most one of the two places opens."""
        if there:
            mark = os.path.join(self.home.data, "moved")
            self.assertFalse(not os.path.exists(mark) and self.is_there(there), said)
            if os.path.exists(mark):
                return
            with sqlite3.connect(os.path.join(self.home.data, "queue.db")) as db:
                self.assertEqual(db.execute("SELECT count(*) FROM task").fetchone()[0], 10000)
            db.close()
            # Redis has none, and makes none while half of one is there.
            if self.cli("exists", "gangway:move") == "1":
                refused = self.daemon_unready("--redis", self.uri)
                refused.wait_line("has not come whole", "stderr")
                if refused.running():
                    refused.kill()
        elif not self.cli("hget", "gangway:head", "moved_to"):
            self.assertEqual(self.cli("hget", "gangway:head", "n0"), "10000")

    def test_broken_off_just_before_its_end(self):
        gateway = self.daemon("--no-workers")
        ids = [gateway.submit(f"t{n}") for n in range(5)]
        self.stop(gateway)
        self.to_redis()
        mark = os.path.join(self.home.data, "moved")
        with open(mark, encoding="utf-8") as file:
            text = file.read()
        move = re.search(r"id=(.*)", text).group(1)

        def back_to_handed():
            self.home.file("data/gangway/moved", text.replace("state=moved", "state=handed"))

        # The target was whole, but no queue yet.
        back_to_handed()
        self.cli("rename", "gangway:head", "gangway:move")
        self.cli("hset", "gangway:move", "move", move, "complete", "1")
        self.assertIn("is ended now", self.to_redis())
        # It was one already.
        back_to_handed()
        self.assertIn("is ended now", self.to_redis())
        # What had come is lost: all is still here.
        back_to_handed()
        self.cli("flushall")
        self.assertIn("nothing is missing", self.to_redis())
        gateway = self.daemon("--redis", self.uri, "--no-workers")
        self.assertEqual([task["task_id"] for task in gateway.ok("GET", "/tasks")["tasks"]], ids)
        self.stop(gateway)

        # The same on the way back.
        self.to_embedded()
        data = os.path.join(self.home.data, "queue.db")
        os.rename(data, data + ".moving")
        self.cli("hset", "gangway:head", "moved_state", "handed")
        refused = self.daemon_unready("--no-workers")
        self.assertEqual(refused.wait(), 2)
        self.assertIn("was broken off", refused.stderr)
        self.assertIn("is ended now", self.to_embedded())
        self.cli("hset", "gangway:head", "moved_state", "handed")
        self.assertIn("is ended now", self.to_embedded())
        gateway = self.daemon("--no-workers")
        self.assertEqual([task["task_id"] for task in gateway.ok("GET", "/tasks")["tasks"]], ids)


if __name__ == "__main__":
    frame.main()
