# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines on one Redis that differ: in providers, keys, networks, limits, and in their version."""

import os
import subprocess

import frame

LEASE = 2


class Machines(frame.Case):
    """Programs with a configuration each, on one Redis."""

    def setUp(self):
        super().setUp()
        self.socket = os.path.join(self.home.path, "redis.sock")
        self.uri = f"redis+unix://{self.socket}"
        redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "no", "--dir", self.home.path], env={"PATH": os.environ["PATH"]},
            name="redis"))
        redis.wait_line(r"ready to accept connections at")
        self.started = 0
        self.limits = "max-concurrency=10\n"

    def redis_cli(self, *arguments):
        return subprocess.run(["redis-cli", "-s", self.socket, *arguments], check=True,
                              capture_output=True, text=True).stdout.strip()

    def arguments(self, groups):
        """Of a program with the providers @groups: (name, base URL, keys of the group)."""
        self.started += 1
        text = f"[workers]\nlease-seconds={LEASE}\n{self.limits}" + "".join(
            frame.provider_group(name, url, **keys) for name, url, keys in groups)
        path = self.home.file(f"machine-{self.started}.conf", text)
        return ["--redis", self.uri, "--config", path]

    def gateway(self, *groups, env=None, workers=False):
        more = [] if workers else ["--no-workers"]
        return self.daemon(*self.arguments(groups), *more, env=env)

    def worker(self, *groups, env=None, more=()):
        worker = self.daemon_unready(*self.arguments(groups), "--workers-only", *more, env=env,
                                     port=None)
        worker.wait_line(r"gangwayd: working on redis\+unix://")
        return worker

    def waits(self, gateway, task_id, reason):
        frame.wait_for(lambda: (gateway.task(task_id)["metadata"].get("waiting") or {}).get(
            "reason") == reason, f"the task to wait for {reason}")

    def run_all(self, gateway, n, patience=frame.PATIENCE, **pins):
        given = gateway.ok("POST", "/tasks/batch", {
            "tasks": [{"content": f"{pins} {i}", **pins} for i in range(n)]})
        for task_id in given["task_ids"]:
            task = gateway.wait_task(task_id, patience=patience)
            self.assertEqual(task["status"], "completed", task)

    def provider(self, gateway, name):
        return gateway.ok("GET", f"/providers/{name}")


class Keys(Machines):
    def test_only_the_worker_has_the_key(self):
        mock = self.mock(providers={"one": {"latency": 0.02, "keys": ["the-right-one"]}})
        one = ("one", mock.base("one"), {"api_key_env": "KEY_OF_ONE"})
        gateway = self.gateway(one)
        task_id = gateway.submit("x", provider="one")
        self.waits(gateway, task_id, "no-key")
        self.worker(one, env={"KEY_OF_ONE": "the-right-one"})
        self.assertEqual(gateway.wait_task(task_id)["status"], "completed")
        shown = self.provider(gateway, "one")
        self.assertEqual((shown["usable"], shown["workers"], shown["key_source"]),
                         (True, 1, "none"))
        self.assertIsNone(shown["waiting"])
        self.assertNotIn("the-right-one", self.redis_cli("--no-raw", "hgetall", "gangway:lane:one"))

    def test_a_bad_key_stops_its_machine_alone(self):
        mock = self.mock(providers={"one": {"latency": 0.02, "keys": ["the-right-one"]}})
        one = ("one", mock.base("one"), {"api_key_env": "KEY_OF_ONE"})
        gateway = self.gateway()
        bad = [self.worker(one, env={"KEY_OF_ONE": "a-wrong-one"}) for _ in range(2)]
        task_id = gateway.submit("first", provider="one")
        self.waits(gateway, task_id, "auth")
        self.worker(one, env={"KEY_OF_ONE": "the-right-one"})
        self.assertEqual(gateway.wait_task(task_id)["status"], "completed")
        self.run_all(gateway, 20, provider="one")
        # The same wrong key is not tried by one machine after the other; a start tries it once more.
        self.assertLessEqual(mock.stats("one")["refused_keys"], 10)
        before = mock.stats("one")["refused_keys"]
        self.run_all(gateway, 20, provider="one")
        self.assertEqual(mock.stats("one")["refused_keys"], before)
        self.assertTrue(all(worker.running() for worker in bad))


class Providers(Machines):
    def test_each_has_its_own(self):
        mock = self.mock(providers={name: {"latency": 0.02} for name in ("one", "two")})
        one, two = [(name, mock.base(name), {"model": f"model-{name}"}) for name in ("one", "two")]
        gateway = self.gateway()
        self.worker(one)
        second = self.worker(two)
        self.run_all(gateway, 4, provider="one")
        self.run_all(gateway, 4, provider="two")
        self.run_all(gateway, 4, model="model-two")
        self.run_all(gateway, 4)
        shown = {provider["name"]: provider
                 for provider in gateway.ok("GET", "/providers")["providers"]}
        self.assertEqual([shown[name]["workers"] for name in ("one", "two")], [1, 1])
        self.problem(gateway.request("DELETE", "/providers/two"), 409, "other machines")
        self.problem(gateway.post("/tasks", {"content": "x", "provider": "three"}), 422)

        # Its machine dies: what is pinned to it waits, is not failed, and runs when it is back.
        second.kill()
        task_id = gateway.submit("later", provider="two")
        self.waits(gateway, task_id, "no-worker")
        self.assertEqual(self.provider(gateway, "two")["waiting"]["reason"], "no-worker")
        self.run_all(gateway, 4, provider="one")
        self.worker(two)
        self.assertEqual(gateway.wait_task(task_id)["status"], "completed")

    def test_removed_on_one_machine(self):
        mock = self.mock(providers={"one": {"latency": 0.02}})
        one = ("one", mock.base("one"), {})
        first, second = (self.gateway(one, workers=True) for _ in range(2))
        self.assertEqual(self.provider(first, "one")["workers"], 2)
        first.ok("DELETE", "/providers/one")
        self.assertEqual(self.provider(first, "one")["workers"], 1)
        self.run_all(first, 8, provider="one")
        second.ok("DELETE", "/providers/one")
        self.problem(second.post("/tasks", {"content": "x", "provider": "one"}), 422)

    def test_one_machine_has_no_way_to_it(self):
        mock = self.mock(providers={"one": {"latency": 0.02}})
        gateway = self.gateway()
        # The same provider, where nothing listens.
        self.worker(("one", f"http://127.0.0.1:{frame.free_port()}/v1", {}))
        self.worker(("one", mock.base("one"), {}))
        self.run_all(gateway, 40, provider="one")
        self.assertIsNone(self.provider(gateway, "one")["waiting"])

    def test_limits_are_the_queues(self):
        mock = self.mock(providers={"one": {"latency": 0.05}})
        gateway = self.gateway(("one", mock.base("one"), {"max_concurrency": 2}))
        worker = self.worker(("one", mock.base("one"), {"max_concurrency": 5}))
        worker.wait_line(r"one: 5 at once .* 2 at once .* are stored and used", kind="stderr")
        self.run_all(gateway, 20, provider="one")
        self.assertEqual(mock.stats("one")["max_in_flight"], 2)
        gateway.ok("PUT", "/providers/one", {"max_concurrency": 4})
        self.run_all(gateway, 20, provider="one")
        self.assertEqual(mock.stats("one")["max_in_flight"], 4)

    def test_so_are_those_over_all(self):
        """Cap, tries and days belong to the queue as well: who comes later uses what is stored."""
        mock = self.mock(providers={"one": {"latency": 0.05}})
        one = ("one", mock.base("one"), {"max_concurrency": 8})

        def stored():
            return self.redis_cli("HMGET", "gangway:head", "cap", "most", "keep").split()
        self.limits = "max-concurrency=3\nmax-attempts=2\n"
        gateway = self.gateway(one)
        self.limits = "max-concurrency=9\nmax-attempts=4\n[queue]\nkeep-days=1\n"
        worker = self.worker(one)
        for words in ("max-concurrency=9 .* max-concurrency=3, which is used",
                      "max-attempts=4 .* max-attempts=2, which is used",
                      "keep-days=1 .* keep-days=0, which is used"):
            worker.wait_line(words, kind="stderr")
        self.assertEqual(stored(), ["3", "2", "0"])
        self.run_all(gateway, 20, provider="one")
        self.assertEqual(mock.stats("one")["max_in_flight"], 3)
        # Nor does it change when they connect again, in whichever order.
        self.redis_cli("CLIENT", "KILL", "TYPE", "normal")
        self.redis_cli("CLIENT", "KILL", "TYPE", "pubsub")
        for program in (gateway, worker):
            program.wait_line("is back", kind="stderr")
        self.assertEqual(stored(), ["3", "2", "0"])
        # Deleted by hand, or lost: the new queue has the limits of the old one.
        before = self.redis_cli("HGET", "gangway:head", "store")
        self.redis_cli("FLUSHALL")
        frame.wait_for(lambda: gateway.get("/health") and self.redis_cli(
            "HGET", "gangway:head", "store") not in ("", before), "a new queue")
        self.assertEqual(stored(), ["3", "2", "0"])
        # Who sets them says so, and one at a time leaves the others.
        self.worker(one, more=["--set-limits"])
        self.assertEqual(stored(), ["9", "4", "1"])
        reply = gateway.ok("PATCH", "/settings", {"keep_days": 5})
        self.assertEqual(stored(), ["9", "4", "5"])
        self.assertEqual([reply[name] for name in ("max_concurrency", "max_attempts", "keep_days")],
                         [9, 4, 5])


class Batch(Machines):
    def test_takes_only_its_own(self):
        mock = self.mock(providers={"one": {"latency": 0.02}})
        one = ("one", mock.base("one"), {})
        gateway = self.gateway(one)
        older = gateway.ok("POST", "/tasks/batch", {
            "tasks": [f"older {n}" for n in range(20)], "project": "older"})["project_id"]
        path = self.home.file("batch.conf", f"[queue]\nredis-uri={self.uri}\n"
                              + frame.provider_group(*one[:2]))
        run = self.run_batch("--config", path, "--quiet", "--project", "own", stdin="a\nb\nc\n")
        self.assertEqual(run.stdout.count('"completed"'), 3)
        self.assertEqual(mock.bought(), {"a": 1, "b": 1, "c": 1})
        counts = gateway.ok("GET", f"/projects/{older}")["counts"]
        self.assertEqual(counts["queued"], 20, counts)
        # Nothing of it stays, and nothing was held: a worker runs the rest.
        self.worker(one)
        self.assertEqual(gateway.wait_project(older)["counts"]["completed"], 20)

    def test_carries_on_with_its_own(self):
        mock = self.mock(providers={"one": {"latency": 0.02}})
        one = ("one", mock.base("one"), {})
        gateway = self.gateway(one)
        for name in ("left", "other"):
            gateway.ok("POST", "/tasks/batch", {"tasks": [f"{name} {n}" for n in range(5)],
                                                "project": name})
        gateway.ok("POST", "/projects/left/pause")
        path = self.home.file("batch.conf", f"[queue]\nredis-uri={self.uri}\n"
                              + frame.provider_group(*one[:2]))
        run = self.run_batch("--config", path, "--quiet", "--resume", "left")
        self.assertEqual(run.stdout.count('"completed"'), 5)
        self.assertEqual(set(mock.bought()), {f"left {n}" for n in range(5)})


class Versions(Machines):
    """The version of a program is faked by what the newest one would have left in Redis."""

    def setUp(self):
        super().setUp()
        self.provider_mock = self.mock(providers={"one": {"latency": 0.02}})
        self.one = ("one", self.provider_mock.base("one"), {})

    def test_side_by_side(self):
        gateway = self.gateway(self.one)
        self.worker(self.one)
        self.redis_cli("hset", "gangway:head", "version", "7", "something-new", "a text")
        self.redis_cli("hset", "gangway:lane:one", "something-new", "a text")
        self.run_all(gateway, 8)
        self.worker(self.one)
        self.assertEqual(self.redis_cli("hmget", "gangway:head", "version", "something-new"),
                         "7\na text")

    def test_too_old(self):
        gateway = self.gateway(self.one)
        worker = self.worker(self.one)
        self.provider_mock.provider("one", latency=0.5)
        task_id = gateway.submit("in hand")
        gateway.wait_task(task_id, ("running",))
        frame.wait_for(lambda: self.provider_mock.stats("one")["in_flight"] == 1, "the call")
        self.redis_cli("hset", "gangway:head", "version", "7", "oldest", "7")
        # Both say so, take nothing more, and keep what is in hand; a new one of it does not start.
        worker.wait_line(r"taken over by a newer Gangway \(data version 7", kind="stderr")
        self.problem(gateway.get("/tasks?since=0"), 503, "newer")
        self.assertIn("newer", gateway.get("/health").text)
        late = self.daemon_unready(*self.arguments([self.one]), "--workers-only", port=None)
        self.assertEqual(late.wait(), 3)
        self.assertIn("Install the newer program", late.stderr)
        frame.wait_for(lambda: self.provider_mock.stats("one")["answered"] == 1, "the answer")
        self.redis_cli("hset", "gangway:head", "version", "1", "oldest", "1")
        task = gateway_task(gateway, task_id)
        self.assertEqual((task["status"], task["result"]), ("completed", "answer to: in hand"))
        self.assertEqual(self.provider_mock.bought(), {"in hand": 1})


def gateway_task(gateway, task_id):
    """The task as soon as it has ended, however long the gateway answers 503."""
    def look():
        reply = gateway.get(f"/tasks/{task_id}")
        return reply.json() if reply.status_code == 200 and reply.json()["status"] \
            in frame.FINAL else None
    return frame.wait_for(look, "the task to end")


if __name__ == "__main__":
    frame.main()
