# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops and crashes: nothing lost, nothing answered bought again, no limit broken across them."""

import concurrent.futures
import json
import os
import random
import signal
import threading
import time

import requests

import crash
import frame


class Restart(frame.Case):
    def three_lanes(self):
        """Lanes whose window is spent soon: only a window that outlives the daemon avoids 429."""
        mock = self.mock(total=10, seed=5, providers={
            "hunyuan": {"concurrency": 5, "latency": {"median": 0.25, "sigma": 0.2}},
            "nvidia": {"concurrency": 5, "rpm": 40, "latency": {"median": 0.12, "sigma": 0.2},
                       "form": "nvidia"},
            "zhipu": {"concurrency": 1, "latency": {"median": 0.3, "sigma": 0.2},
                      "form": "zhipu"}})
        config = self.lanes(mock, hunyuan={"latency": 0.25},
                            nvidia={"requests_per_minute": 40, "latency": 0.12},
                            zhipu={"max_concurrency": 1, "latency": 0.3})
        return mock, config, [f"task {n}" for n in range(110)]

    def test_kill_in_mid_run(self):
        run = crash.RunThroughStops(self, *self.three_lanes())
        run.wait_answered(30)
        run.stop(kill=True)
        run.check()

    def test_terminate_in_mid_run_buys_none_twice(self):
        run = crash.RunThroughStops(self, *self.three_lanes())
        run.wait_answered(30)
        run.stop(kill=False)
        self.assertEqual(run.check(), set())
        self.assertEqual(set(run.mock.bought().values()), {1})

    def test_several_kills_in_one_run(self):
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.05}})
        run = crash.RunThroughStops(self, mock, self.lanes(
            mock, one={"max_concurrency": 4, "latency": 0.05}), [f"t{n}" for n in range(120)])
        for count in (10, 35, 60, 85):
            run.wait_answered(count)
            run.stop(kill=True)
        run.check()


class KillPoints(frame.Case):
    """kill -9 at enumerated moments of a task's life, and at random ones."""

    LATENCY = 0.12

    def life(self, moments):
        mock = self.mock(providers={"one": {"concurrency": 1, "latency": self.LATENCY}})
        self.home.configure(self.lanes(mock, one={"max_concurrency": 1, "latency": 0.1}))
        gateway = self.daemon()
        accepted = {}
        uncertain = set()
        for number, moment in enumerate(moments):
            contents = [f"{number} {letter}" for letter in "ab"]
            for content in contents:
                accepted[gateway.submit(content)] = content
            if moment is None:      # right after the provider has answered
                count = mock.stats("one")["answered"]
                frame.wait_for(lambda: mock.stats("one")["answered"] > count, "an answer",
                               every=0.001)
            else:
                time.sleep(moment)
            gateway.kill()
            gateway = self.daemon()
            uncertain |= crash.named_in(gateway.ok("GET", "/recovery"), set(accepted))
        for task_id, content in accepted.items():
            task = gateway.wait_task(task_id, patience=120)
            if task["status"] == "failed":
                # Alone in flight at three deaths in a row: held to be their cause.
                self.assertEqual(task["error"]["code"], "quarantined", task)
                self.assertGreaterEqual(task["attempts"], 3)
                gateway.ok("POST", f"/tasks/{task_id}/retry")
                task = gateway.wait_task(task_id)
            self.assertEqual((task["status"], task["result"]),
                             ("completed", f"answer to: {content}"))
        bought = mock.bought()
        twice = {task_id for task_id, content in accepted.items() if bought[content] > 1}
        self.assertLessEqual(twice, uncertain)
        self.assertEqual(mock.stats("one")["breaches"], 0, mock.stats("one")["breach_log"])
        self.diagnose(f"{len(moments)} kills, {len(twice)} bought twice, all named")

    def test_enumerated(self):
        self.life([0, 0.002, 0.005, 0.01, 0.05, self.LATENCY - 0.005, self.LATENCY,
                   self.LATENCY + 0.005, None, None])

    def test_random(self):
        seed = int(os.environ.get("GW_TEST_SEED", time.time_ns() % 100_000))
        self.diagnose(f"GW_TEST_SEED={seed}")
        source = random.Random(seed)
        self.life([source.uniform(0, 2.2 * self.LATENCY) for _ in range(8)])

    def test_kill_while_many_submit(self):
        """Who was answered 200 is on disk; who repeats with its key gets one task, not two."""
        gateway = self.daemon("--no-workers")
        answered, lock = {}, threading.Lock()
        started = threading.Event()
        port = gateway.port

        def submit(thread):
            session = requests.Session()
            for number in range(400):
                key = f"{thread}-{number}"
                try:
                    reply = session.post(f"http://127.0.0.1:{port}/tasks", timeout=10,
                                         json={"content": key},
                                         headers={"Idempotency-Key": key})
                    task_id = reply.json()["task_id"]
                except (requests.RequestException, ValueError):
                    return number       # no reply, or half of one
                with lock:
                    answered[key] = task_id
                    if len(answered) > 100:
                        started.set()
            return 400

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(submit, thread) for thread in range(8)]
            self.assertTrue(started.wait(30))
            gateway.kill()
            reached = [future.result() for future in futures]
        gateway = self.daemon("--no-workers")
        for thread, number in enumerate(reached):
            key = f"{thread}-{number}"      # the one whose reply was lost
            if number < 400:
                reply = gateway.post("/tasks", {"content": key},
                                     headers={"Idempotency-Key": key})
                self.assertEqual(reply.status_code, 200)
                answered[key] = reply.json()["task_id"]
        seen, since = {}, 0
        while True:
            page = gateway.ok("GET", f"/tasks?since={since}&limit=1000")
            seen.update((task["task_id"], task["content"]) for task in page["tasks"])
            since = page["revision"]
            if not page["more"]:
                break
        self.assertEqual(seen, {task_id: key for key, task_id in answered.items()})
        self.diagnose(f"killed after {len(answered)} submissions")


    def test_deadly_task_is_quarantined(self):
        """Alone in flight at three deaths in a row: it may be the cause, and holds nobody up."""
        mock = self.mock(providers={"one": {"latency": 0.05, "ghosts": False,
                                            "contents": {"deadly": {"do": "hang"}}}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 1}))
        deadly = gateway.submit("deadly")
        after = gateway.submit("after it")
        for number in range(1, 4):
            frame.wait_for(lambda n=number: mock.stats("one")["calls"] >= n, "the call", 60)
            gateway.kill()
            gateway = self.daemon()
        task = gateway.wait_task(deadly, patience=60)
        self.assertEqual((task["status"], task["error"]["code"]), ("failed", "quarantined"))
        self.assertEqual(gateway.wait_task(after)["status"], "completed")
        self.assertEqual(mock.stats("one")["calls"], 4)


class Stops(frame.Case):
    def test_drain_then_refuse_then_end(self):
        mock = self.mock(providers={"one": {"latency": 1.0}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 2}))
        ids = [gateway.submit(f"t{n}") for n in range(4)]
        frame.wait_for(lambda: mock.stats("one")["in_flight"] == 2, "two calls")
        gateway.signal(signal.SIGTERM)
        refused = frame.wait_for(lambda: [reply for reply in [gateway.post(
            "/tasks", {"content": "late"})] if reply.status_code != 200], "the refusal", 5)[0]
        self.problem(refused, 503)
        self.assertEqual(gateway.get(f"/tasks/{ids[0]}").status_code, 200)
        self.assertEqual(gateway.wait(20), 0)
        self.assertEqual(mock.stats("one")["answered"], 2)
        self.assertEqual(mock.stats("one")["client_gone"], 0)
        gateway = self.daemon()
        for task_id in ids:
            self.assertEqual(gateway.wait_task(task_id)["status"], "completed")
        self.assertEqual(set(mock.bought()) - {"late"}, {f"t{n}" for n in range(4)})
        self.assertEqual(set(mock.bought().values()), {1})

    def test_drain_has_a_limit_and_a_second_signal_ends_at_once(self):
        for second in (False, True):
            with self.subTest(second=second):
                mock = self.mock(providers={"one": {"always": {"do": "hang"}}})
                drain = 60 if second else 1
                gateway = self.daemon(config=self.lanes(
                    mock, f"drain-seconds={drain}", one={}))
                gateway.submit("hangs")
                frame.wait_for(lambda: mock.stats("one")["in_flight"] >= 1, "the call")
                gateway.signal(signal.SIGINT)
                if second:
                    time.sleep(0.3)
                    self.assertTrue(gateway.running())
                    gateway.signal(signal.SIGINT)
                self.assertEqual(gateway.wait(15), 0)
                self.assertEqual(gateway.members(), [])

    def test_one_engine_per_data_and_per_port(self):
        gateway = self.daemon("--no-workers")
        second = self.daemon_unready("--no-workers")
        self.assertEqual(second.wait(), 3)
        self.assertIn(str(gateway.port), second.stderr)
        self.one_clear_line(second)
        third = self.daemon_unready("--no-workers", "--data-dir", self.home.file("other"),
                                    port=gateway.port)
        self.assertEqual(third.wait(), 3)
        self.assertIn(str(gateway.port), third.stderr)
        self.one_clear_line(third)
        self.assertEqual(gateway.get("/health").status_code, 200)

    def test_a_crash_is_told_once(self):
        provider = self.mock()
        config = self.lanes(provider, one={})
        gateway = self.daemon(config=config)
        for number in range(3):
            gateway.submit(f'{number} [[mock {{"do": "hang"}}]]', provider="one")
        frame.wait_for(lambda: provider.stats("one")["calls"] == 3, "three calls")
        gateway.kill()
        gateway = self.daemon(config=config)
        gateway.wait_line("ended in a crash: no task is lost.*twice: 3", kind="stderr")
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("stopping", kind="stderr")    # two signals at once would count as one
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        gateway = self.daemon("--no-workers", config=config)
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        self.assertNotIn("crash", gateway.stderr)

    def test_wrong_use_and_configuration(self):
        for arguments in (["--unheard-of"], ["--port", "x"], ["--port", "-1"], ["extra"],
                          ["--workers-only"],
                          ["--config", "/no/such/file"], ["--listen", "not an address"]):
            with self.subTest(arguments=arguments):
                process = self.daemon_unready(*arguments, port=None)
                self.assertEqual(process.wait(), 2, process.stderr)
                self.one_clear_line(process)
                self.assertEqual(process.stdout, "")
        for text, word in [("[workers]\nmax-concurrency=0\n", "max-concurrency"),
                           ("[gateway]\nport=70000\n", "port"), ("[odd]\n", "odd"),
                           ("[workers]\nafter-crash=maybe\n", "after-crash"),
                           ("[provider x]\nmax-concurrency=many\n", "max-concurrency")]:
            with self.subTest(text=text):
                process = self.daemon_unready("--no-workers", config=text)
                self.assertEqual(process.wait(), 2, process.stderr)
                self.assertIn(word, process.stderr)
                self.assertIn("gangway.conf", process.stderr)
        version = self.daemon_unready("--version", port=None)
        self.assertEqual(version.wait(), 0)
        self.assertRegex(version.stdout, r"\d+\.\d+")

    def test_limits_belong_to_the_queue(self):
        mock = self.mock(providers={"one": {"latency": 0.1}})
        first = self.daemon(config=self.lanes(mock, one={"max_concurrency": 2}))
        first.terminate()
        second = self.daemon(config=self.lanes(mock, one={"max_concurrency": 4}))
        self.assertEqual(second.ok("GET", "/providers/one")["max_concurrency"], 2)
        self.assertIn("one", second.stderr)
        given = second.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(10)]})
        for task_id in given["task_ids"]:
            second.wait_task(task_id)
        self.assertEqual(mock.stats("one")["max_in_flight"], 2)
        second.terminate()
        third = self.daemon("--set-limits")
        self.assertEqual(third.ok("GET", "/providers/one")["max_concurrency"], 4)

    def test_hold_waits_for_the_user(self):
        mock = self.mock(providers={"one": {"latency": 0.4}})
        config = self.lanes(mock, "after-crash=hold", one={"max_concurrency": 1})
        gateway = self.daemon(config=config)
        given = gateway.ok("POST", "/tasks/batch", {"tasks": ["a", "b"], "project": "p"})
        frame.wait_for(lambda: mock.stats("one")["in_flight"] == 1, "the call")
        gateway.kill()
        gateway = self.daemon()
        self.assertEqual(crash.named_in(gateway.ok("GET", "/recovery"), set(given["task_ids"])),
                         set(given["task_ids"][:1]))
        time.sleep(1.5)
        self.assertEqual(mock.stats("one")["calls"], 1)
        gateway.ok("POST", f"/projects/{given['project_id']}/resume")
        self.assertEqual(gateway.wait_project(given["project_id"])["counts"]["completed"], 2)

    def test_workers_come_back_to_what_no_workers_took(self):
        gateway = self.daemon("--no-workers")
        ids = gateway.ok("POST", "/tasks/batch", {"tasks": ["a", "b"], "project": "p"})
        self.assertEqual(json.dumps(gateway.ok("GET", "/tasks")).count('"queued"') > 0, True)
        gateway.terminate()
        mock = self.mock()
        gateway = self.daemon(config=self.lanes(mock, one={}))
        self.assertEqual(gateway.wait_project(ids["project_id"])["counts"]["completed"], 2)


if __name__ == "__main__":
    frame.main()
