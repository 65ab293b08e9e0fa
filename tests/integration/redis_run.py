# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over several worker processes on one Redis, some of them killed, and Redis killed, too;
shared by the short form of it (test_redis_soak.py) and the long one (tests/soak/soak_redis.py)."""

import os
import random
import time

import frame


class RunOnRedis:
    """@n_tasks through a gateway and @n_workers workers. A worker that is killed is started again.

    Redis writes its append-only file before it answers, so that it may be killed as well.
    """

    LEASE = 4
    CAP = 20

    def __init__(self, case, n_tasks, n_workers=4, latency=0.05, rpm=0):
        self.case = case
        self.seed = int(os.environ.get("GW_TEST_SEED", time.time_ns() % 1_000_000))
        self.random = random.Random(self.seed)
        case.diagnose(f"GW_TEST_SEED={self.seed}")
        self.socket = os.path.join(case.home.path, "redis.sock")
        self.uri = f"redis+unix://{self.socket}"
        self.start_redis()
        providers = {"one": {"concurrency": 12, "latency": latency},
                     "two": {"concurrency": 10, "latency": {"median": latency, "sigma": 0.5},
                             "rpm": rpm}}
        self.mock = case.mock(total=self.CAP, seed=self.seed, providers=providers)
        case.home.configure(case.lanes(
            self.mock, workers=f"lease-seconds={self.LEASE}\nmax-concurrency={self.CAP}",
            one={"max_concurrency": 12, "latency": latency},
            two={"max_concurrency": 10, "latency": latency, "requests_per_minute": rpm}))
        self.gateway = case.daemon("--redis", self.uri, "--no-workers")
        self.workers = [self.start_worker() for _ in range(n_workers)]
        self.tasks = [f"task {n}" for n in range(n_tasks)]
        given = self.gateway.ok("POST", "/tasks/batch", {"tasks": self.tasks, "project": "run"})
        self.project = given["project_id"]
        self.ids = dict(zip(given["task_ids"], self.tasks))
        case.assertEqual(len(self.ids), n_tasks)
        self.began = time.monotonic()
        self.kills = 0

    def start_redis(self):
        self.redis = self.case.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--dir", self.case.home.path],
            env={"PATH": os.environ["PATH"]}, name="redis"))
        self.redis.wait_line(r"ready to accept connections at")

    def start_worker(self):
        worker = self.case.daemon_unready("--redis", self.uri, "--workers-only", port=None)
        worker.wait_line(r"gangwayd: working on redis\+unix://")
        return worker

    def answered(self):
        return self.mock.stats()["answered"]

    def wait_answered(self, part, patience=120):
        count = int(part * len(self.tasks))
        frame.wait_for(lambda: self.answered() >= count, f"{count} answers", patience, 0.01)

    def kill_worker(self):
        """kill -9 of one that is chosen by chance, at a moment that is, and a new one."""
        time.sleep(self.random.uniform(0, 0.1))
        place = self.random.randrange(len(self.workers))
        self.workers[place].kill()
        self.kills += 1
        self.workers[place] = self.start_worker()

    def restart_redis(self):
        self.redis.kill()
        self.start_redis()

    def feed(self):
        """Every task as the change feed tells it, by id."""
        tasks, since = {}, 0
        while True:
            reply = self.gateway.get(f"/tasks?since={since}&limit=1000"
                                     "&fields=task_id,status,content")
            if reply.status_code == 503:
                time.sleep(0.1)
                continue
            self.case.assertEqual(reply.status_code, 200, reply.text[:500])
            page = reply.json()
            tasks.update((task["task_id"], task) for task in page["tasks"])
            since = page["revision"]
            if not page["more"]:
                return tasks

    def wait_end(self, patience):
        """Redis may be reading its file just now: the gateway says so with 503, until it has."""
        def look():
            reply = self.gateway.get(f"/projects/{self.project}")
            if reply.status_code == 503:
                return None
            self.case.assertEqual(reply.status_code, 200, reply.text[:500])
            counts = reply.json()["counts"]
            return reply.json() if counts["queued"] + counts["running"] == 0 else None
        return frame.wait_for(look, f"project {self.project} to end", patience, 0.1)

    def check(self, patience):
        """Waits for the end; then: one final state each, no breach, and bought again only what
        was in a killed worker's hands, which is named."""
        case, n = self.case, len(self.tasks)
        project = self.wait_end(patience)
        took = time.monotonic() - self.began
        case.assertEqual(project["counts"]["completed"], n, project["counts"])
        feed = self.feed()
        case.assertEqual(set(feed), set(self.ids))
        case.assertEqual({task["status"] for task in feed.values()}, {"completed"})
        for task_id in self.random.sample(sorted(self.ids), min(n, 100)):
            case.assertEqual(self.gateway.task(task_id)["result"],
                             f"answer to: {self.ids[task_id]}")
        stats = self.mock.stats()
        case.assertEqual(stats["breaches"], 0, [provider["breach_log"][:5] for provider in
                                                stats["providers"].values()])
        case.assertLessEqual(stats["max_in_flight"], self.CAP)
        bought = self.mock.bought()
        case.assertEqual(set(bought), set(self.tasks))
        uncertain = self.gateway.ok("GET", "/recovery")["attempts"]
        named = {attempt["task_id"] for attempt in uncertain}
        twice = {task_id for task_id, content in self.ids.items() if bought[content] > 1}
        case.assertLessEqual(twice, named, "bought again without being named")
        case.assertLessEqual(sum(bought.values()) - n, len(uncertain))
        case.assertLessEqual(len(uncertain), self.kills * self.CAP)
        case.diagnose(f"{n} tasks in {took:.1f} s over {len(self.workers)} workers, "
                      f"{self.kills} killed, Redis killed once: {n} completed, "
                      f"{stats['breaches']} breaches, {sum(bought.values()) - n} calls paid again, "
                      f"{len(uncertain)} named by /recovery, at most {stats['max_in_flight']} "
                      f"of {self.CAP} calls at once")
