# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redis that is ill, for real: what the log, /health and the gateway's answers say, that nothing
that was paid is lost, and that everything goes on by itself."""

import datetime
import os
import re
import signal
import time

import frame
from redis_server import RedisServer, Wire


class Ill(frame.Case):
    LEASE = 15

    def configured(self, mock, concurrency=4, latency=0.1):
        self.home.configure(self.lanes(
            mock, workers=f"lease-seconds={self.LEASE}\nmax-concurrency={concurrency}",
            one={"max_concurrency": concurrency, "latency": latency}))

    def started(self, uri, *more, name="data"):
        """A gateway, with workers or without, whose disk is a folder @name of its own."""
        return self.daemon("--redis", uri, "--data-dir", os.path.join(self.home.path, name), *more)

    def worker(self, uri, name="worker"):
        return self.daemon_unready("--redis", uri, "--workers-only", "--data-dir",
                                   os.path.join(self.home.path, name), port=None)

    def kept(self, name="worker"):
        folder = os.path.join(self.home.path, name, "undelivered")
        return [file for file in os.listdir(folder) if file.endswith(".outcome")] \
            if os.path.isdir(folder) else []

    def health(self, gateway):
        began = time.monotonic()
        health = gateway.ok("GET", "/health")
        self.diagnose(f"/health: {health['status']} {health['trouble']} after "
                      f"{time.monotonic() - began:.2f} s")
        return health

    def wait_trouble(self, gateway, code, status="unavailable"):
        """Until /health names @code; returns the trouble. None: none."""
        def look():
            health = gateway.ok("GET", "/health")
            found = health["trouble"]["code"] if health["trouble"] else None
            return health if found == code else None
        health = frame.wait_for(look, f"the trouble {code}")
        if code is not None:
            self.assertEqual(health["status"], status)
            self.assertTrue(health["warnings"])
            self.assertRegex(health["trouble"]["since"], r"^\d{4}-\d\d-\d\dT")
        return health["trouble"]

    def assert_refused(self, gateway, status, *words):
        reply = gateway.post("/tasks", {"content": "refused"})
        problem = self.problem(reply, status, *words)
        if status == 503:
            self.assertEqual(problem["code"], "unavailable")
            self.assertGreater(int(reply.headers["Retry-After"]), 0)
        return problem

    def assert_all_answered(self, gateway, given, contents):
        def ended():
            reply = gateway.get(f"/projects/{given['project_id']}")
            counts = reply.json()["counts"] if reply.status_code == 200 else {}
            return counts.get("queued") == 0 and counts.get("running") == 0
        frame.wait_for(ended, "the project to end", 60, 0.1)
        project = gateway.ok("GET", f"/projects/{given['project_id']}")
        self.assertEqual(project["counts"]["completed"], len(contents), project["counts"])
        for task_id, content in zip(given["task_ids"], contents):
            self.assertEqual(gateway.task(task_id)["result"], f"answer to: {content}")


class AtStart(Ill):
    def test_down(self):
        redis = RedisServer(self)
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.05}})
        self.configured(mock)
        gateway = self.started(redis.uri)
        worker = self.worker(redis.uri)
        trouble = self.wait_trouble(gateway, "away")
        self.assertIn("Start Redis", trouble["message"])
        self.assert_refused(gateway, 503, "Start Redis")
        self.assertEqual(gateway.get("/tasks?since=0&wait=20").status_code, 503)
        self.assertIn("gangway_queue_up 0", gateway.get("/metrics").text)
        worker.wait_line("Start Redis", "stderr")
        self.assertNotIn("working on", worker.stdout)
        # Who waits ends as soon as it is told to.
        third = self.worker(redis.uri, "third")
        third.wait_line("Start Redis", "stderr")
        self.assertEqual(third.terminate(), 0)

        redis.start()
        worker.wait_line("gangwayd: working on redis://")
        self.wait_trouble(gateway, None)
        self.assertIn("is back", gateway.stderr)
        task_id = frame.wait_for(
            lambda: gateway.post("/tasks", {"content": "at last"}).json().get("task_id"), "a 200")
        self.assertEqual(gateway.wait_task(task_id)["result"], "answer to: at last")

    def test_wrong_for_good(self):
        """What waiting does not mend ends the program, with what to do."""
        redis = RedisServer(self, "--requirepass", "right").start()
        evicting = RedisServer(self, "--maxmemory-policy", "allkeys-lru").start()
        cluster = RedisServer(self, "--cluster-enabled", "yes").start()
        for uri, words in (
                (redis.uri, "It wants a password"),
                (f"redis://:wrong-word@127.0.0.1:{redis.port}", "does not accept"),
                (f"redis://127.0.0.1:{evicting.port}/99", "Give another number"),
                (evicting.uri, "maxmemory-policy noeviction"),
                (cluster.uri, "part of a cluster"),
                ("redis://127.0.0.1:1:2", "cannot be read")):
            with self.subTest(uri=uri):
                gateway = self.daemon_unready("--redis", uri, config="")
                self.assertEqual(gateway.wait(), 2)
                self.assertIn(words, self.one_clear_line(gateway))
                self.assertNotIn("wrong-word", gateway.stderr)

    def test_a_password_on_the_command_line_is_warned_of(self):
        redis = RedisServer(self, "--requirepass", "right-word").start()
        gateway = self.daemon("--redis", f"redis://:right-word@127.0.0.1:{redis.port}", config="")
        gateway.wait_line("GANGWAY_REDIS_PASSWORD", kind="stderr")
        self.assertNotIn("right-word", gateway.stderr)
        quiet = self.daemon("--redis", f"redis://127.0.0.1:{redis.port}",
                            env={"GANGWAY_REDIS_PASSWORD": "right-word"})
        quiet.terminate()
        self.assertNotIn("GANGWAY_REDIS_PASSWORD", quiet.stderr)

    def test_still_loading(self):
        redis = RedisServer(self, "--appendonly", "no").start()
        redis.tell("DEBUG", "POPULATE", "60", "filler", "2000")
        redis.tell("SAVE")
        redis.kill()
        gateway = None
        redis.launch("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")
        frame.wait_for(lambda: "LOADING" in redis.tell("PING"), "LOADING", every=0.005)
        gateway = self.started(redis.uri, "--no-workers")
        self.assertIn("still reading its data", self.wait_trouble(gateway, "loading")["message"])
        self.assert_refused(gateway, 503, "still reading its data")
        self.wait_trouble(gateway, None)
        frame.wait_for(lambda: gateway.post("/tasks", {"content": "x"}).status_code == 200, "200")


class Answers(Ill):
    """What was paid is never lost."""

    def begin(self, latency=0.6):
        """Four calls under way."""
        self.redis = RedisServer(self).start()
        self.mock_provider = self.mock(providers={"one": {"concurrency": 4, "latency": latency}})
        self.configured(self.mock_provider)
        self.gateway = self.started(self.redis.uri, "--no-workers")
        self.busy = self.worker(self.redis.uri)
        self.busy.wait_line("working on")
        self.contents = [f"t{n}" for n in range(4)]
        self.given = self.gateway.ok("POST", "/tasks/batch", {"tasks": self.contents,
                                                              "project": "p"})
        frame.wait_for(lambda: self.mock_provider.stats()["in_flight"] == 4, "4 calls",
                       every=0.005)

    def test_kept_while_redis_is_away_and_the_worker_dies(self):
        self.begin()
        self.redis.kill()
        frame.wait_for(lambda: len(self.kept()) == 4, "four answers on disk", every=0.01)
        folder = os.path.join(self.home.path, "worker", "undelivered")
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        for name in self.kept():
            self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o600)
        self.assertIn("is kept in", self.busy.stderr)
        self.busy.kill()
        self.redis.start()
        self.worker(self.redis.uri).wait_line("working on")
        self.assert_all_answered(self.gateway, self.given, self.contents)
        frame.wait_for(lambda: not self.kept(), "nothing left on disk")
        self.assertEqual(set(self.mock_provider.bought().values()), {1}, "none was bought again")

    def test_kept_and_told_by_the_same_worker(self):
        self.begin()
        self.redis.kill()
        frame.wait_for(lambda: len(self.kept()) == 4, "four answers on disk", every=0.01)
        self.redis.start()
        self.assert_all_answered(self.gateway, self.given, self.contents)
        self.busy.wait_line("4 answers that became results", "stderr")
        self.assertEqual(set(self.mock_provider.bought().values()), {1})
        # It drains in order while Redis is away, too.
        self.redis.kill()
        self.assertEqual(self.busy.terminate(), 0, self.busy.stderr[-2000:])

    def test_redis_comes_back_without_its_data(self):
        self.begin()
        self.redis.kill()
        self.redis.forget()
        frame.wait_for(lambda: len(self.kept()) == 4, "four answers on disk", every=0.01)
        self.redis.start()
        self.gateway.wait_line("came back without its data", "stderr")
        self.busy.wait_line("belong to a queue that is not the one", "stderr")
        self.assertEqual(len(self.kept()), 4)
        folder = os.path.join(self.home.path, "worker", "undelivered")
        texts = []
        for name in self.kept():
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts.append(file.read())
        for content in self.contents:
            self.assertTrue(any(f"answer to: {content}" in text for text in texts))
        self.wait_trouble(self.gateway, None)
        self.assertEqual(self.gateway.get(f"/tasks/{self.given['task_ids'][0]}").status_code, 404)

    def test_the_disk_is_full_too(self):
        """Then it stays in memory, is said, and is told when Redis is back."""
        folder = os.path.join(self.home.path, "worker")
        os.mkdir(folder)
        with open(os.path.join(folder, "undelivered"), "w", encoding="ascii"):
            pass    # no folder can be made there
        self.begin()
        self.redis.kill()
        self.busy.wait_line("could not be stored, trying again", "stderr")
        self.redis.start()
        self.assert_all_answered(self.gateway, self.given, self.contents)
        self.assertEqual(set(self.mock_provider.bought().values()), {1})


class MidRun(Ill):
    def run_over(self, wire, count=12, latency=0.1, disturb=None):
        """A gateway with workers over @wire; @disturb is called while @count tasks are run."""
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": latency}})
        self.configured(mock)
        gateway = self.started(wire.uri)
        contents = [f"t{n}" for n in range(count)]
        given = gateway.ok("POST", "/tasks/batch", {"tasks": contents, "project": "p"})
        frame.wait_for(lambda: mock.stats()["answered"] >= 2, "two answers", every=0.005)
        disturb(gateway)
        self.assert_all_answered(gateway, given, contents)
        self.assertEqual(mock.stats()["providers"]["one"]["breach_log"], [])
        return gateway, mock

    def test_slow(self):
        wire = Wire(self, RedisServer(self).start().port)

        def disturb(gateway):
            wire.delay = 0.5        # each way: a second
            frame.wait_for(lambda: self.health(gateway)["status"] == "unavailable", "said")
            time.sleep(2)
            wire.delay = 0
        gateway, mock = self.run_over(wire, disturb=disturb)
        self.wait_trouble(gateway, None)
        self.assertEqual(set(mock.bought().values()), {1})

    def test_torn(self):
        wire = Wire(self, RedisServer(self).start().port)

        def disturb(gateway):
            for _ in range(5):
                wire.tear()
                time.sleep(0.1)
        gateway, mock = self.run_over(wire, 24, disturb=disturb)
        self.wait_trouble(gateway, None)
        self.assertEqual(set(mock.bought().values()), {1})
        self.assertIn("Redis at", gateway.stderr)

    def test_half_open(self):
        """Nothing comes and nobody is told: /health is in time all the same, and says so."""
        wire = Wire(self, RedisServer(self).start().port)

        def disturb(gateway):
            wire.dead = True
            frame.wait_for(lambda: (self.health(gateway)["trouble"] or {}).get("code") == "silent",
                           "silence", every=0.2)
            self.assertEqual(self.health(gateway)["status"], "unavailable")
            wire.dead = False
        gateway, mock = self.run_over(wire, disturb=disturb)
        self.wait_trouble(gateway, None)
        self.assertEqual(set(mock.bought().values()), {1})

    def test_frozen(self):
        redis = RedisServer(self).start()

        def disturb(gateway):
            redis.process.signal(signal.SIGSTOP)
            frame.wait_for(lambda: (self.health(gateway)["trouble"] or {}).get("code") == "silent",
                           "silence", every=0.2)
            redis.process.signal(signal.SIGCONT)
        gateway, mock = self.run_over(redis, disturb=disturb)
        self.wait_trouble(gateway, None)
        self.assertEqual(set(mock.bought().values()), {1})

    def find_offset(self, redis, name):
        found = re.search(rf"^{name}:(\d+)", redis.tell("INFO", "replication"), re.MULTILINE)
        return int(found.group(1)) if found else -1

    def test_failover(self):
        """The primary dies; the address leads to its replica, which becomes the primary."""
        primary = RedisServer(self).start()
        replica = RedisServer(self, "--replicaof", "127.0.0.1", str(primary.port)).start()
        frame.wait_for(lambda: "master_link_status:up" in replica.tell("INFO", "replication"),
                       "the replica")
        wire = Wire(self, primary.port)

        def disturb(gateway):
            # WAIT would speak of what redis-cli itself wrote.
            written = self.find_offset(primary, "master_repl_offset")
            frame.wait_for(lambda: self.find_offset(replica, "slave_repl_offset") >= written,
                           "the replica to have all of it")
            wire.target = replica.port
            wire.tear()
            primary.kill()
            trouble = self.wait_trouble(gateway, "read-only")
            self.assertIn("replica", trouble["message"])
            self.assert_refused(gateway, 503, "replica")
            replica.tell("REPLICAOF", "NO", "ONE")
            self.wait_trouble(gateway, None)
        gateway, mock = self.run_over(wire, disturb=disturb)
        # What the replica had not heard of yet may be bought again, never stored twice.
        extra = sum(mock.bought().values()) - 12
        self.assertLessEqual(extra, 4)
        self.assertIn("is back", gateway.stderr)

    def test_out_of_memory(self):
        redis = RedisServer(self).start()

        def disturb(gateway):
            # None of them begins before all the others have.
            old = gateway.ok("POST", "/tasks/batch", {"project": "old", "tasks": [
                {"content": f"old {n}", "priority": -100} for n in range(200)]})
            redis.tell("CONFIG", "SET", "maxmemory", "1")
            self.assert_refused(gateway, 507, "maxmemory")
            trouble = self.wait_trouble(gateway, "full", "no-space")
            self.assertIn("Raise maxmemory", trouble["message"])
            self.assertEqual(gateway.get("/tasks?since=0").status_code, 200)
            # What frees memory is taken all the same, and does not look as if all were well again.
            if int(re.search(r"redis_version:(\d+)", redis.tell("INFO", "server")).group(1)) >= 7:
                gateway.ok("POST", f"/projects/{old['project_id']}/cancel")
                self.assertEqual(gateway.request("DELETE", f"/projects/{old['project_id']}").status_code,
                                 200)
                self.assert_refused(gateway, 507, "maxmemory")
                self.wait_trouble(gateway, "full", "no-space")
            redis.tell("CONFIG", "SET", "maxmemory", "0")
            self.wait_trouble(gateway, None)
        _, mock = self.run_over(redis, disturb=disturb)
        self.assertEqual(set(mock.bought().values()), {1})

    def test_scripts_and_keys_by_hand(self):
        redis = RedisServer(self).start()

        def disturb(gateway):
            # At times just between a load and the use of what was loaded.
            for _ in range(60):
                redis.tell("SCRIPT", "FLUSH")
            redis.tell("DEL", "gangway:sends:one", "gangway:samples:one", "gangway:startable")
        self.run_over(redis, disturb=disturb)


class SetBack(Ill):
    LEASE = 2

    def test_the_clock_of_redis(self):
        """An hour back: leases, waits and windows go on, what is shown follows the clock, and it is said."""
        redis = RedisServer(self).start()
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.5}})
        self.configured(mock)
        gateway = self.started(redis.uri, "--no-workers")
        gateway.terminate()
        # As if all that is stored had been written by a clock that went an hour ahead.
        ahead = (int(redis.tell("TIME").split()[0]) + 3600) * 1000
        redis.tell("HSET", "gangway:head", "clock", str(ahead))
        gateway = self.started(redis.uri, "--no-workers")
        gateway.wait_line(r"The clock of Redis at .* was set back by 3[56]\d\d\.\d s", kind="stderr")
        lost = self.worker(redis.uri, "lost")
        lost.wait_line("working on")
        contents = [f"t{n}" for n in range(8)]
        given = gateway.ok("POST", "/tasks/batch", {"tasks": contents, "project": "p"})
        frame.wait_for(lambda: mock.stats()["in_flight"] == 4, "4 calls", every=0.005)
        lost.kill()
        self.worker(redis.uri, "other").wait_line("working on")
        self.assert_all_answered(gateway, given, contents)
        self.assertEqual(mock.stats()["providers"]["one"]["breach_log"], [])
        for task_id in given["task_ids"]:
            task = gateway.task(task_id)
            for name in ("created_at", "started_at", "finished_at"):
                told = datetime.datetime.fromisoformat(task[name].replace("Z", "+00:00"))
                self.assertLess(abs(told.timestamp() - time.time()), 600, task)
        self.assertEqual(gateway.stderr.count("was set back"), 1)


if __name__ == "__main__":
    frame.main()
