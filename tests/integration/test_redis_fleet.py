# SPDX-License-Identifier: GPL-3.0-or-later
"""Several machines, for real: each a network of its own, one Redis, one gateway, three workers.

A worker is killed, one is frozen past its lease and woken, one loses its network: every task ends
once, the limits hold over all of them, and what may have been paid twice is named.
"""

import os
import signal

import frame
import machines

LEASE = 4
PASSWORD = "only-for-this-test"
TOKEN = "the-token-of-this-test"


class Fleet(frame.Case):
    """The machines, and what runs on them."""

    def setUp(self):
        super().setUp()
        reason = machines.missing()
        if reason is not None:
            self.cannot(reason)
        self.network = machines.Network(self)

    def start_redis(self):
        self.redis_machine = self.network.machine("redis")
        redis = self.keep(frame.Process(
            [*self.redis_machine.prefix, "redis-server", "--port", "6379", "--bind", "0.0.0.0",
             "--requirepass", PASSWORD, "--save", "", "--appendonly", "no", "--dir",
             self.home.path], env={"PATH": os.environ["PATH"]}, name="redis"))
        redis.wait_line(r"Ready to accept connections")
        self.uri = f"redis://:{PASSWORD}@{self.redis_machine.address}:6379/0"
        return redis

    def start_mock(self, **order):
        # In the test's own network, where every machine finds it.
        mock = self.keep(frame.Mock(order, listen=self.network.address))
        return mock

    def start_gateway(self):
        machine = self.network.machine("gate")
        gateway = self.keep(frame.Daemon(
            self.home, ["--redis", self.uri, "--no-workers", "--listen", machine.address],
            env={"GANGWAY_TOKEN": TOKEN}, prefix=machine.prefix))
        gateway.session.headers["Authorization"] = f"Bearer {TOKEN}"
        return gateway.ready()

    def start_worker(self, machine):
        # A disk of its own, too: what it keeps there, no other machine can tell Redis.
        worker = self.keep(frame.Daemon(
            self.home, ["--redis", self.uri, "--workers-only", "--data-dir",
                        os.path.join(self.home.path, machine.name)],
            port=None, prefix=machine.prefix))
        worker.wait_line(r"gangwayd: working on redis://")
        self.assertNotIn(PASSWORD, worker.stdout)
        return worker


def most_at_once(calls):
    """How many of @calls were at the provider at one time."""
    moments = sorted([(call["arrived"], 1) for call in calls]
                     + [(call.get("free", float("inf")), -1) for call in calls])
    most = now = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


class OneKilledOneFrozenOneCutOff(Fleet):
    CAP = 6
    SERIAL = 2

    def test_all_end_once(self):
        self.start_redis()
        mock = self.start_mock(total=self.CAP, providers={
            "one": {"concurrency": 4, "latency": 0.25},
            "two": {"concurrency": 3, "rpm": 25, "latency": 0.4}})
        self.home.configure(self.lanes(
            mock, workers=f"lease-seconds={LEASE}\nmax-concurrency={self.CAP}",
            one={"max_concurrency": 4, "latency": 0.25},
            two={"max_concurrency": 3, "requests_per_minute": 25, "latency": 0.4}))
        gateway = self.start_gateway()
        wires = [self.network.machine(name) for name in ("killed", "frozen", "cut")]
        killed, frozen, cut = (self.start_worker(machine) for machine in wires)
        machine_of = dict(zip((killed, frozen, cut), wires))
        many = gateway.ok("POST", "/tasks/batch", {
            "tasks": [f"many {n}" for n in range(110)], "project": "many"})
        few = gateway.ok("POST", "/tasks/batch", {
            "tasks": [f"few {n}" for n in range(16)], "project": "few",
            "concurrency": self.SERIAL})
        contents = dict(zip(many["task_ids"] + few["task_ids"],
                            [f"many {n}" for n in range(110)] + [f"few {n}" for n in range(16)]))

        def answered(count):
            frame.wait_for(lambda: mock.stats()["answered"] >= count, f"{count} answers",
                           every=0.01)

        def named():
            return [attempt["task_id"]
                    for attempt in gateway.ok("GET", "/recovery")["attempts"]]

        def stop_with_calls(worker):
            """Stops it at a moment when it has calls in its hands."""
            address = machine_of[worker].address

            def stop():
                worker.signal(signal.SIGSTOP)
                if any(call["from"] == address and "ended" not in call for call in mock.calls()):
                    return True
                worker.signal(signal.SIGCONT)
                return False
            frame.wait_for(stop, f"calls from {address}", every=0.1)

        def wait_named(name, before):
            """What the worker had in its hands is noticed when its lease is over, and named."""
            frame.wait_for(lambda: len(named()) > before, f"the calls of the {name} worker named")
            self.diagnose(f"{name}: {len(named()) - before} calls uncertain")

        answered(15)
        stop_with_calls(killed)
        killed.kill()
        wait_named("killed", 0)
        answered(35)
        before = len(named())
        stop_with_calls(frozen)
        try:
            wait_named("frozen", before)
        finally:
            frozen.signal(signal.SIGCONT)
        answered(65)
        before = len(named())
        stop_with_calls(cut)
        wires[2].cut()
        cut.signal(signal.SIGCONT)
        wait_named("cut off", before)
        for project in (many, few):
            gateway.wait_project(project["project_id"], 60)
        uncertain = named()
        self.assertLessEqual(len(uncertain), 3 * self.CAP)

        # Once each, with its own answer, and bought again only what was named.
        for task_id, content in contents.items():
            task = gateway.task(task_id)
            self.assertEqual((task["status"], task["result"]),
                             ("completed", f"answer to: {content}"))
        bought = mock.bought()
        twice = {task_id for task_id, content in contents.items() if bought[content] > 1}
        self.assertLessEqual(twice, set(uncertain))
        self.assertLessEqual(sum(bought.values()) - len(contents), len(uncertain))
        for provider in mock.stats()["providers"].values():
            self.assertEqual(provider["breach_log"], [])
        sure = {content for task_id, content in contents.items()
                if task_id not in uncertain and content.startswith("few")}
        self.assertLessEqual(most_at_once([call for call in mock.calls()
                                           if call["content"] in sure]), self.SERIAL)
        self.diagnose(f"{len(contents)} tasks, {sum(bought.values())} bought, "
                      f"{len(uncertain)} uncertain")

        # The one that was cut off comes back by itself, and works on.
        wires[2].mend()
        self.assertEqual(frozen.terminate(40), 0, frozen.stderr[-2000:])
        late = gateway.submit("late [[mock null]]", provider="one")
        task = gateway.wait_task(late, patience=40)
        self.assertEqual(task["status"], "completed")
        self.assertEqual(task["result"], "answer to: late [[mock null]]")


if __name__ == "__main__":
    frame.main()
