# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that misbehave, through the whole program: faults 31 to 44.

Each fault has a lane of its own at the mock, so that one daemon meets many at the same time.
"""

import json
import os
import subprocess
import time

import frame

WORKERS = "max-concurrency=100\nmax-attempts=3"
ANY = ("completed", "failed")

# name: behaviour of the first call; the next one is answered well.
RECOVERS = {
    "rate-seconds": {"do": "rate", "retry_after": "1"},
    "rate-date": {"do": "rate", "retry_after": "date+2"},
    "rate-absent": {"do": "rate"},
    "rate-negative": {"do": "rate", "retry_after": "-5"},
    "rate-past": {"do": "rate", "retry_after": "date-1000"},
    "rate-words": {"do": "try-again-in", "text": "900ms"},
    "rate-zhipu": {"do": "concurrency", "form": "zhipu"},
    "rate-nvidia": {"do": "rate", "form": "nvidia"},
    "overloaded": {"do": "overloaded"},
    "s500": {"do": "status", "status": 500},
    "s502": {"do": "html"},
    "s503": {"do": "status", "status": 503, "body": "busy", "type": "text/plain"},
    "s504": {"do": "status", "status": 504},
    "s529": {"do": "status", "status": 529},
    "s408": {"do": "status", "status": 408},
    "portal": {"do": "html", "status": 200, "portal": True},
    "error-object": {"do": "error-object"},
    "no-choices": {"do": "no-choices"},
    "null-content": {"do": "null-content"},
    "empty-content": {"do": "empty-content"},
    "not-an-object": {"do": "json", "json": [1, 2]},
    "choices-text": {"do": "json", "json": {"choices": "none"}},
    "choice-null": {"do": "json", "json": {"choices": [None]}},
    "message-text": {"do": "json", "json": {"choices": [{"message": "hi"}]}},
    "content-number": {"do": "json", "json": {"choices": [{"message": {"content": 5}}]}},
    "nothing": {"do": "json", "raw": ""},
    "blank": {"do": "json", "raw": "\n\n \n"},
    "two-values": {"do": "two-values"},
    "deep": {"do": "deep"},
    "truncated": {"do": "truncated"},
    "cut-json": {"do": "truncated", "honest_length": True},
    "bad-chunks": {"do": "bad-chunks"},
    "reset": {"do": "reset"},
    "reset-half": {"do": "reset", "half": True},
    "gzip-bomb": {"do": "gzip-bomb", "bytes": 256 << 20},
    "huge-body": {"do": "huge-body", "bytes": 256 << 20},
    "huge-header": {"do": "huge-header"},
    "hang": {"do": "hang"},
    "hang-in-body": {"do": "hang", "after_headers": True},
    "drip": {"do": "drip", "every": 0.2},
}
# What is an answer all the same, at the first call; True: the usual text.
ANSWERS = {
    "no-usage": ({"do": "no-usage"}, True),
    "blanks": ({"do": "blanks"}, True),
    "duplicate-keys": ({"do": "duplicate-keys"}, True),
    "odd-finish": ({"do": "ok", "finish_reason": "because"}, True),
    "unicode": ({"do": "ok", "content": "“𝄞” \u2028 ✓"}, "“𝄞” \u2028 ✓"),
    "close-idle": ({"do": "close-idle"}, True),
    "cut-at-length": ({"do": "ok", "finish_reason": "length"}, True),
}
# Where the texts leave open what it becomes: it ends, and the program is well.
ENDS = {
    "invalid-utf8": {"do": "invalid-utf8"},
    "nul": {"do": "nul"},
    "surrogate": {"do": "surrogate"},
    "big-number": {"do": "big-number"},
    "stream": {"do": "stream", "junk": True, "no_done": True},
    "error-content": {"do": "error-content"},
    "reasoning": {"do": "null-content", "reasoning": "I think"},
    "usage-odd": {"do": "ok", "usage": {"prompt_tokens": "x", "total_tokens": -5}},
    "usage-text": {"do": "ok", "usage": "none"},
    "model-null": {"do": "ok", "model": None},
    "model-odd": {"do": "ok", "model": ["x"]},
}
# Refusals of this one task: (behaviour, codes, calls)
FAILS = {
    "f-500": ({"do": "status", "status": 500, "body": "{}"}, {"server"}, 3),
    "f-html": ({"do": "html"}, {"server"}, 3),
    "f-empty": ({"do": "empty-content"}, {"bad-reply"}, 3),
    "f-cut": ({"do": "truncated", "honest_length": True}, {"bad-reply"}, 3),
    "f-hang": ({"do": "hang"}, {"timeout"}, 3),
    "f-refused": ({"do": "refused", "form": "zhipu"}, {"refused"}, 1),
    "f-refused-451": ({"do": "refused", "form": "tencent"}, {"refused"}, 1),
    "f-long": ({"do": "too-long"}, {"too-long"}, 1),
    "f-long-zhipu": ({"do": "too-long", "form": "zhipu"}, {"too-long"}, 1),
    "f-400": ({"do": "status", "status": 400, "body": {"error": {"message": "bad role"}}},
              {"bad-request"}, 1),
    "f-422": ({"do": "status", "status": 422, "body": {"detail": "no such member"}},
              {"bad-request"}, 1),
}
# What stops a lane: (behaviour, reason)
STOPS = {
    "l-401": ({"do": "unauthorized"}, "auth"),
    "l-403": ({"do": "forbidden", "form": "nvidia"}, "auth"),
    "l-401-zhipu": ({"do": "unauthorized", "form": "zhipu"}, "auth"),
    "l-402": ({"do": "payment"}, "quota"),
    "l-quota": ({"do": "balance"}, "quota"),
    "l-1113": ({"do": "balance", "form": "zhipu"}, "quota"),
    "l-1304": ({"do": "daily", "form": "zhipu"}, "quota"),
    "l-arrears": ({"do": "payment", "form": "tencent"}, "quota"),
    "l-model": ({"do": "no-model"}, "model"),
    "l-1211": ({"do": "no-model", "form": "zhipu", "status": 400}, "model"),
}


class Faults(frame.Case):
    def lanes_for(self, mock, names, **keys):
        keys = {"timeout_seconds": 2, "latency": 0.1, **keys}
        return self.lanes(mock, WORKERS, **{name: keys for name in names})

    def test_one_fault_then_the_answer(self):
        mock = self.mock(providers={name: {"first": [what]} for name, what in RECOVERS.items()})
        gateway = self.daemon(config=self.lanes_for(mock, RECOVERS))
        ids = {name: gateway.submit(f"task of {name}", provider=name) for name in RECOVERS}
        for name, task_id in ids.items():
            with self.subTest(name=name):
                task = gateway.wait_task(task_id, patience=60)
                self.assertEqual(task["result"], f"answer to: task of {name}", task["error"])
                self.assertGreaterEqual(task["attempts"], 2)
                if name.startswith("rate") or name == "overloaded":
                    self.assertEqual(task["metadata"].get("tries", 0), 0)
        arrivals = {}
        for call in mock.calls():
            arrivals.setdefault(call["provider"], []).append(call["arrived"])
        for name, least in (("rate-seconds", 1.0), ("rate-date", 1.0), ("rate-words", 0.9)):
            with self.subTest(waits=name):
                self.assertGreaterEqual(arrivals[name][1] - arrivals[name][0], least)
        with open(f"/proc/{gateway.pid}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        self.diagnose(f"peak of resident memory {peak // 1024} MiB")
        if not frame.is_sanitized():
            self.assertLess(peak, 300 << 10, "a body over the limit was taken into memory")

    def test_strange_answers(self):
        table = {**{name: what for name, (what, _) in ANSWERS.items()}, **ENDS}
        mock = self.mock(providers={name: {"first": [what]} for name, what in table.items()})
        gateway = self.daemon(config=self.lanes_for(mock, table))
        ids = {name: gateway.submit(f"task of {name}", provider=name) for name in table}
        for name, task_id in ids.items():
            with self.subTest(name=name):
                task = gateway.wait_task(task_id, ANY, patience=60)
                if name in ANSWERS:
                    wanted = ANSWERS[name][1]
                    self.assertEqual(task["result"], f"answer to: task of {name}"
                                     if wanted is True else wanted)
                    self.assertEqual(mock.stats(name)["calls"], 1)
                    if name == "cut-at-length":
                        self.assertEqual(task["metadata"]["finish_reason"], "length")
        self.assertEqual(gateway.ok("GET", "/health")["service"], "gangway")
        json.dumps(gateway.ok("GET", "/attempts?since=0&limit=1000"))

    def test_what_fails_a_task(self):
        mock = self.mock(providers={name: {"always": row[0]} for name, row in FAILS.items()})
        gateway = self.daemon(config=self.lanes_for(mock, FAILS))
        ids = {name: gateway.submit(f"task of {name}", provider=name) for name in FAILS}
        for name, task_id in ids.items():
            with self.subTest(name=name):
                task = gateway.wait_task(task_id, patience=90)
                self.assertEqual(task["status"], "failed")
                self.assertIn(task["error"]["code"], FAILS[name][1], task["error"])
                self.assertTrue(task["error"]["message"].strip())
                self.assertEqual(mock.stats(name)["calls"], FAILS[name][2])
                self.assertEqual(task["attempts"], FAILS[name][2])

    def test_what_stops_a_lane(self):
        """Once, whatever waits; the tasks wait, and go on when the user has acted."""
        mock = self.mock(providers={name: {"always": row[0], "latency": 0.2}
                                    for name, row in STOPS.items()})
        gateway = self.daemon(config=self.lanes_for(mock, STOPS, max_concurrency=1))
        ids = {name: [gateway.submit(f"{name} {n}", provider=name) for n in range(3)]
               for name in STOPS}
        for name, task_ids in ids.items():
            with self.subTest(name=name):
                for task_id in task_ids:
                    waiting = frame.wait_for(
                        lambda one=task_id: self.reason(gateway, one) == STOPS[name][1],
                        f"{task_id} to wait for {STOPS[name][1]}, it is "
                        f"{gateway.task(task_id)}", 10)
                    self.assertTrue(waiting)
                    task = gateway.task(task_id)
                    self.assertEqual(task["status"], "queued")
                    self.assertEqual(task["metadata"].get("tries", 0), 0)
                self.assertEqual(mock.stats(name)["calls"], 1)
                shown = gateway.ok("GET", f"/providers/{name}")
                self.assertIn(STOPS[name][1], json.dumps(shown["waiting"]))
        mock.control(providers={name: {"always": None} for name in STOPS})
        for name, task_ids in ids.items():
            with self.subTest(resumed=name):
                gateway.ok("POST", f"/providers/{name}/resume")
                for task_id in task_ids:
                    self.assertEqual(gateway.wait_task(task_id)["status"], "completed")

    def reason(self, gateway, task_id):
        return (gateway.task(task_id)["metadata"].get("waiting") or {}).get("reason")

    def test_others_take_what_a_stopped_lane_leaves(self):
        mock = self.mock(providers={"bad": {"keys": ["right"]}, "good": {"latency": 0.05}})
        gateway = self.daemon(config=self.lanes(
            mock, bad={"max_concurrency": 2, "latency": 0.01, "api_key_env": "BAD_KEY"},
            good={"latency": 0.05}), env={"BAD_KEY": "wrong"})
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(30)]})
        for task_id in given["task_ids"]:
            task = gateway.wait_task(task_id)
            self.assertEqual((task["status"], task["metadata"]["provider"]),
                             ("completed", "good"))
        self.assertLessEqual(mock.stats("bad")["refused_keys"], 2)
        gateway.wait_line("bad", kind="stderr")     # the stopped lane is said

    def test_missing_key_waits(self):
        mock = self.mock(providers={"one": {"keys": ["x"]}})
        gateway = self.daemon(config=self.lanes(mock, one={"api_key_env": "NO_SUCH_KEY"}))
        task_id = gateway.submit("t", provider="one")
        frame.wait_for(lambda: self.reason(gateway, task_id) == "no-key", "the reason", 10)
        self.assertEqual(mock.stats("one")["refused_keys"], 0)

    def test_absurd_retry_after_is_bounded(self):
        mock = self.mock(providers={"one": {"first": [{"do": "rate",
                                                       "retry_after": "315360000"}]}})
        gateway = self.daemon(config=self.lanes(mock, one={}))
        task_id = gateway.submit("t")
        waiting = frame.wait_for(
            lambda: (gateway.task(task_id)["metadata"].get("waiting") or {}).get("until"),
            "the time to wait until", 10)
        limit = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3605))
        self.assertLess(waiting[:19], limit)
        self.assertGreater(waiting[:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))

    def test_cap_until_a_stated_time(self):
        mock = self.mock(providers={"one": {"first": [{"do": "capped-until", "seconds": 3600}]}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 1}))
        ids = [gateway.submit(f"t{n}") for n in range(3)]
        frame.wait_for(lambda: mock.stats("one")["calls"] == 1, "the call")
        frame.wait_for(lambda: (gateway.task(ids[2])["metadata"].get("waiting") or {})
                       .get("until"), "the time to wait until", 10)
        self.assertEqual(mock.stats("one")["calls"], 1)
        gateway.ok("POST", "/providers/one/resume")
        for task_id in ids:
            self.assertEqual(gateway.wait_task(task_id)["status"], "completed")

    def test_redirect_never_gets_the_key(self):
        for status in (301, 302, 307, 308):
            with self.subTest(status=status):
                mock = self.mock(providers={"one": {"always": {"do": "redirect",
                                                               "status": status}}})
                gateway = self.daemon(config=self.lanes(mock, one={"api_key_env": "ONE_KEY"}),
                                      env={"ONE_KEY": "secret"})
                gateway.submit("t")
                frame.wait_for(lambda m=mock: m.stats("one")["calls"] >= 1, "the call")
                time.sleep(0.3)
                self.assertEqual(mock.stats()["elsewhere"], {})
                gateway.terminate()

    def test_stale_connections_cost_nothing(self):
        """A reused connection that the provider resets or has closed: no try used, none lost."""
        mock = self.mock(providers={
            "reset": {"every": [2, {"do": "reset-next"}]},
            "closed": {"always": {"do": "close-idle"}}})
        gateway = self.daemon(config=self.lanes(mock, reset={"max_concurrency": 1},
                                                closed={"max_concurrency": 1}))
        ids = [gateway.submit(f"{lane} {n}", provider=lane)
               for n in range(8) for lane in ("reset", "closed")]
        for task_id in ids:
            task = gateway.wait_task(task_id, patience=60)
            self.assertEqual(task["status"], "completed")
            self.assertEqual(task["metadata"].get("tries", 0), 0)
        self.assertEqual(set(mock.bought().values()), {1})

    def test_network_down_and_back(self):
        mock = self.mock(providers={"one": {"latency": 0.1}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 3}))
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(30)]})
        frame.wait_for(lambda: mock.stats("one")["answered"] >= 6, "six answers")
        mock.control(refuse_for=2.5)
        for task_id in given["task_ids"]:
            task = gateway.wait_task(task_id, patience=90)
            self.assertEqual(task["status"], "completed")
            self.assertEqual(task["metadata"].get("tries", 0), 0)

    def test_limit_lower_than_set(self):
        """The lane learns the provider's real concurrency; everything is answered."""
        mock = self.mock(providers={"one": {"concurrency": 2, "latency": 0.1}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 8,
                                                           "latency": 0.1}))
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(60)]})
        for task_id in given["task_ids"]:
            self.assertEqual(gateway.wait_task(task_id, patience=90)["status"], "completed")
        stats = mock.stats("one")
        self.diagnose(f"60 tasks, limit 2 set as 8: {stats['breaches']} refused calls")
        self.assertLess(stats["breaches"], 60)

    def test_wrong_model_is_seen(self):
        mock = self.mock(providers={"one": {"always": {"do": "wrong-model"}}})
        gateway = self.daemon(config=self.lanes(mock, one={}))
        task = gateway.wait_task(gateway.submit("t"))
        self.assertEqual(task["metadata"]["model"], "some-other-model")

    def test_unknown_host_and_closed_port(self):
        config = frame.provider_group("nowhere", "https://nowhere.invalid/v1") \
            + frame.provider_group("closed", f"http://127.0.0.1:{frame.free_port()}/v1")
        gateway = self.daemon(config=config)
        ids = {name: gateway.submit("t", provider=name) for name in ("nowhere", "closed")}
        for name, task_id in ids.items():
            with self.subTest(name=name):
                frame.wait_for(lambda one=task_id: self.reason(gateway, one), "a reason", 20)
                task = gateway.task(task_id)
                self.assertEqual(task["status"], "queued")
                self.assertEqual(task["metadata"].get("tries", 0), 0)
                self.assertEqual(task["attempts"], 0, "a call that was never sent was counted")

    def test_plain_http_to_a_strange_host_is_refused(self):
        gateway = self.daemon_unready(config=frame.provider_group(
            "far", "http://api.example.com/v1"))
        self.assertEqual(gateway.wait(), 2)
        self.assertIn("far", gateway.stderr)

    def test_mock_as_tls_server_is_not_trusted(self):
        key, certificate = self.home.file("key.pem"), self.home.file("cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                        "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True, env={"PATH": os.environ["PATH"]})
        mock = self.keep(frame.Process(
            [frame.PYTHON, frame.MOCK, "--tls", certificate, key], env=self.home.env))
        url = mock.wait_line(r"mock: listening on (\S+)").group(1)
        gateway = self.daemon(config=frame.provider_group("tls", url + "/a/v1",
                                                          api_key_env="TLS_KEY"),
                              env={"TLS_KEY": "secret"})
        task_id = gateway.submit("t", provider="tls")
        frame.wait_for(lambda: self.reason(gateway, task_id), "a reason", 20)
        self.assertEqual(gateway.task(task_id)["status"], "queued")


class Cancels(frame.Case):
    def test_cancel_aborts_the_call(self):
        mock = self.mock(providers={"one": {"latency": 20}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 1}))
        task_id = gateway.submit("long")
        frame.wait_for(lambda: mock.stats("one")["in_flight"] == 1, "the call")
        gateway.ok("DELETE", f"/tasks/{task_id}")
        frame.wait_for(lambda: mock.stats("one")["client_gone"] == 1, "the abort", 5)

    def test_ghosts_keep_the_limit(self):
        """An aborted call may still occupy the provider: none is sent before it can be over."""
        mock = self.mock(providers={"one": {"concurrency": 1, "latency": 1.5}})
        gateway = self.daemon(config=self.lanes(mock, one={"max_concurrency": 1,
                                                           "latency": 1.5}))
        gateway.wait_task(gateway.submit("first"))
        second = gateway.submit("second")
        frame.wait_for(lambda: mock.stats("one")["in_flight"] == 1, "the call")
        gateway.ok("DELETE", f"/tasks/{second}")
        third = gateway.submit("third")
        self.assertEqual(gateway.wait_task(third)["status"], "completed")
        self.assertEqual(mock.stats("one")["breaches"], 0)


class Commands(frame.Case):
    """The command kind: argv without a shell, killed as a group."""

    def command(self, script, **keys):
        path = self.home.file("tool.sh", "#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        lines = {"enabled": "true", "kind": "command", "command": path, "max-concurrency": 2,
                 "timeout-seconds": 2, "latency": 0.1, **keys}
        return self.daemon(config="[provider tool]\n" + "".join(
            f"{key}={value}\n" for key, value in lines.items()))

    def test_task_in_answer_out(self):
        gateway = self.command("tr a-z A-Z")
        task = gateway.wait_task(gateway.submit("hello $(date) ; ✓"))
        self.assertEqual(task["result"].rstrip("\n"), "HELLO $(DATE) ; ✓")

    def test_failing_command(self):
        gateway = self.command("echo broken >&2; exit 3")
        task = gateway.wait_task(gateway.submit("x"), patience=60)
        self.assertEqual(task["status"], "failed")
        self.assertIn("3", task["error"]["message"])
        attempts = gateway.get(f"/tasks/{task['task_id']}/attempts").text
        self.assertIn("broken", attempts)

    def test_timeout_and_cancel_kill_the_group(self):
        gateway = self.command("sleep 300 & sleep 300", **{"timeout-seconds": 30})
        task_id = gateway.submit("x")
        frame.wait_for(lambda: len(gateway.members()) >= 2 or self.sleepers(), "the command")
        gateway.ok("DELETE", f"/tasks/{task_id}")
        frame.wait_for(lambda: not gateway.members() and not self.sleepers(),
                       "the command's processes to end", 10)

    def sleepers(self):
        """Processes whose working or program folder is this case's home."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/environ", "rb") as file:
                        environ = file.read()
                    with open(f"/proc/{entry}/comm", encoding="ascii") as file:
                        name = file.read().strip()
                except OSError:
                    continue
                if self.home.path.encode() in environ and name in ("sleep", "sh", "tool.sh"):
                    found.append(int(entry))
        return found


if __name__ == "__main__":
    frame.main()
