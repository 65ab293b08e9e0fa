# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways and workers side by side on one Redis: who dies, others carry on; limits hold over all."""

import os
import re

import frame
from redis_server import RedisServer, Wire


class SharedQueue(frame.Case):
    LEASE = 2

    def setUp(self):
        super().setUp()
        self.socket = os.path.join(self.home.path, "redis.sock")
        self.uri = f"redis+unix://{self.socket}"
        self.redis = self.start_redis()

    def start_redis(self):
        redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "no", "--dir", self.home.path], env={"PATH": os.environ["PATH"]}))
        redis.wait_line(r"ready to accept connections at")
        return redis

    def worker(self):
        worker = self.daemon_unready("--redis", self.uri, "--workers-only", port=None)
        worker.wait_line(r"gangwayd: working on redis\+unix://")
        return worker

    def configured(self, mock, **lane):
        return self.lanes(mock, workers=f"lease-seconds={self.LEASE}\nmax-concurrency=4", one={
            "max_concurrency": 4, **lane})

    def assert_no_breach(self, mock):
        breaches = {name: provider["breach_log"] for name, provider in
                    mock.stats()["providers"].items() if provider["breach_log"]}
        self.assertEqual(breaches, {})

    def test_a_killed_worker(self):
        mock = self.mock(total=4, providers={"one": {"concurrency": 4, "latency": 0.2}})
        gateway = self.daemon("--redis", self.uri, "--no-workers",
                              config=self.configured(mock, latency=0.2))
        self.assertEqual(gateway.ok("GET", "/health")["queue"], "redis")
        workers = [self.worker(), self.worker()]
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(60)],
                                                   "project": "run"})
        frame.wait_for(lambda: mock.stats()["answered"] >= 12, "12 answers", every=0.01)
        workers[0].kill()
        project = gateway.wait_project(given["project_id"], 60)
        self.assertEqual(project["counts"]["completed"], 60, project["counts"])
        for number, task_id in enumerate(given["task_ids"]):
            task = gateway.task(task_id)
            self.assertEqual(task["result"], f"answer to: t{number}")
        self.assert_no_breach(mock)
        # What was bought twice was in the killed worker's hands, and is named.
        bought = mock.bought()
        named = len(gateway.ok("GET", "/recovery")["attempts"])
        self.assertLessEqual(sum(bought.values()) - 60, named)
        self.assertLessEqual(named, 4)

    def test_two_gateways_see_the_same(self):
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.05}})
        config = self.configured(mock, latency=0.05)
        first = self.daemon("--redis", self.uri, "--no-workers", config=config)
        second = self.daemon("--redis", self.uri)
        task_id = first.submit("over there")
        self.assertEqual(second.wait_task(task_id)["result"], "answer to: over there")
        self.assertEqual(first.wait_task(task_id)["status"], "completed")
        feeds = [gateway.ok("GET", "/tasks?since=0") for gateway in (first, second)]
        self.assertEqual(feeds[0]["store"], feeds[1]["store"])
        self.assertEqual([task["task_id"] for task in feeds[0]["tasks"]], [task_id])

    def test_a_worker_that_listens_late(self):
        """What is submitted between its start and its first subscription wakes it all the same."""
        redis = RedisServer(self).start()
        wire = Wire(self, redis.port)
        wire.held = b"SUBSCRIBE"
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.05}})
        gateway = self.daemon("--redis", redis.uri, "--no-workers",
                              config=self.configured(mock, latency=0.05))
        worker = self.daemon_unready("--redis", wire.uri, "--workers-only", "--data-dir",
                                     os.path.join(self.home.path, "worker"), port=None)
        worker.wait_line(r"gangwayd: working on redis://")
        # Its lanes have asked, and were told that there is nothing.
        frame.wait_for(lambda: redis.tell("HGET", "gangway:lane:one", "waits") not in ("", "0", "31"),
                       "a lane that waits")
        task_id = gateway.submit("said to nobody")
        wire.held = None
        self.assertEqual(gateway.wait_task(task_id)["result"], "answer to: said to nobody")

    def test_refused_with_advice(self):
        for arguments, words in (
                (["--redis", "rediss://somewhere"], "TLS"),
                (["--redis", "redis://:secret-word@"], "names no host")):
            with self.subTest(arguments=arguments):
                gateway = self.daemon_unready(*arguments, config="")
                self.assertIn(gateway.wait(), (2, 3))
                self.assertIn(words, gateway.stderr)
                self.assertNotIn("secret-word", gateway.stderr)

    def test_redis_away_for_a_moment(self):
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.05}})
        gateway = self.daemon("--redis", self.uri, config=self.configured(mock, latency=0.05))
        task_id = gateway.submit("before")
        gateway.wait_task(task_id)
        self.redis.kill()
        frame.wait_for(lambda: gateway.get("/tasks?since=0").status_code == 503, "503")
        self.start_redis()
        # Without its data: said, and served again.
        frame.wait_for(lambda: gateway.get("/tasks?since=0").status_code == 200, "200 again")
        frame.wait_for(lambda: re.search("came back without its data", gateway.stderr), "the word")


if __name__ == "__main__":
    frame.main()
