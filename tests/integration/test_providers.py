# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers changed while the daemon runs: put, limits, keys, switched off and on, removed."""

import json
import os

import frame


class Providers(frame.Case):
    def setUp(self):
        super().setUp()
        self.provider = self.mock(providers={"one": {"latency": 0.05}})
        self.gateway = self.daemon(config="# a comment that stays\n"
                                   + self.lanes(self.provider, one={}))

    def put(self, name, body, status=200):
        reply = self.gateway.request("PUT", f"/providers/{name}", json=body)
        self.assertEqual(reply.status_code, status, reply.text)
        return reply

    def reason(self, task_id):
        return (self.gateway.task(task_id)["metadata"].get("waiting") or {}).get("reason")

    def test_new_provider_works_at_once_and_after_a_restart(self):
        shown = self.put("two", {"base_url": self.provider.base("two"), "model": "m-two",
                                 "max_concurrency": 2, "requests_per_minute": 30,
                                 "timeout_seconds": 9, "latency": 0.5}).json()
        self.assertEqual((shown["name"], shown["model"], shown["max_concurrency"],
                          shown["requests_per_minute"]), ("two", "m-two", 2, 30))
        task = self.gateway.wait_task(self.gateway.submit("t", provider="two"))
        self.assertEqual(task["metadata"]["model"], "m-two")
        with open(self.home.config_file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("# a comment that stays", text)
        self.assertIn("[provider two]", text)
        self.assertIn("[provider one]", text)
        self.gateway.terminate()
        self.gateway = self.daemon()
        self.assertEqual(self.gateway.ok("GET", "/providers/two")["timeout_seconds"], 9)
        task = self.gateway.wait_task(self.gateway.submit("u", provider="two"))
        self.assertEqual(task["status"], "completed")

    def test_wrong_values_are_named_and_change_nothing(self):
        for body, word in [({"max_concurrency": 0}, "max_concurrency"),
                           ({"max_concurrency": "5"}, "max_concurrency"),
                           ({"requests_per_minute": -1}, "requests_per_minute"),
                           ({"timeout_seconds": 0}, "timeout_seconds"),
                           ({"kind": "magic"}, "kind"), ({"model": 5}, "model"),
                           ({"enabled": "yes"}, "enabled"), ({"key": 5}, "key"),
                           ({"base_url": "ftp://example.com"}, "base"),
                           ({"base_url": "http://api.example.com/v1"}, "https"),
                           ({"latency": -1}, "latency")]:
            with self.subTest(body=body):
                self.problem(self.gateway.request("PUT", "/providers/one", json=body), 422, word)
        for name in ("a%20b", "x" * 200, "%0A", "a%5Db"):
            with self.subTest(name=name):
                reply = self.gateway.request("PUT", f"/providers/{name}", json={
                    "base_url": self.provider.base("x"), "model": "m"})
                self.assertIn(reply.status_code, (404, 422))
        self.problem(self.gateway.request("PUT", "/providers/one", data=b"{"), 415)
        self.assertEqual(self.gateway.ok("GET", "/providers/one")["max_concurrency"], 5)
        self.assertEqual(self.gateway.wait_task(self.gateway.submit("t"))["status"], "completed")

    def test_limits_change_under_a_run(self):
        self.put("one", {"max_concurrency": 1})
        given = self.gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(40)]})
        frame.wait_for(lambda: self.provider.stats("one")["answered"] >= 5, "five answers")
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 1)
        self.put("one", {"max_concurrency": 4})
        for task_id in given["task_ids"]:
            self.gateway.wait_task(task_id)
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 4)

    def test_switched_off_and_on(self):
        self.put("one", {"enabled": False})
        task_id = self.gateway.submit("t", provider="one")
        frame.wait_for(lambda: self.reason(task_id), "a reason to wait", 10)
        self.assertEqual(self.provider.stats("one")["calls"], 0)
        self.put("one", {"enabled": True})
        self.assertEqual(self.gateway.wait_task(task_id)["status"], "completed")

    def test_right_key_lets_the_lane_go_on(self):
        self.provider.provider("one", keys=["k3y-that-works"])
        self.put("one", {"key": "wrong"})
        ids = [self.gateway.submit(f"t{n}") for n in range(4)]
        for task_id in ids:
            frame.wait_for(lambda one=task_id: self.reason(one) == "auth", "the reason", 10)
        self.put("one", {"key": "k3y-that-works"})
        for task_id in ids:
            self.assertEqual(self.gateway.wait_task(task_id)["status"], "completed")
        self.assertNotIn("k3y-that-works", json.dumps(self.gateway.ok("GET", "/providers/one")))

    def test_test_says_what_is_wrong(self):
        reply = self.gateway.request("POST", "/providers/one/test")
        self.assertEqual(reply.status_code, 200)
        self.assertIn("mock-model", reply.text)
        self.provider.provider("one", keys=["right"])
        reply = self.gateway.request("POST", "/providers/one/test")
        self.assertIn("auth", reply.text)
        self.assertEqual(self.provider.stats("one")["calls"], 0)

    def test_what_is_not_written_can_be_tested(self):
        self.provider.provider("two", keys=["right"])
        body = {"base_url": self.provider.base("two"), "model": "m"}
        reply = self.gateway.ok("POST", "/providers/two/test", {**body, "key": "wrong"})
        self.assertEqual((reply["ok"], reply["error"]["code"]), (False, "auth"))
        reply = self.gateway.ok("POST", "/providers/two/test", {**body, "key": "right"})
        self.assertTrue(reply["ok"])
        self.assertIn("mock-model", reply["models"])
        self.assertGreaterEqual(reply["latency_ms"], 0)
        self.assertEqual(self.gateway.get("/providers/two").status_code, 404)
        self.problem(self.gateway.post("/providers/two/test", {"base_url": "x"}), 422, "base-url")
        # A stored key goes to no other host for a test either.
        self.put("one", {"key": "right"})
        elsewhere = self.mock(providers={"one": {"keys": ["right"]}})
        reply = self.gateway.ok("POST", "/providers/one/test", {"base_url": elsewhere.base("one")})
        self.assertEqual(reply["error"]["code"], "auth")

    def test_a_test_says_only_what_fits_a_test(self):
        self.provider.provider("two", keys=["right"])
        body = {"base_url": self.provider.base("two"), "model": "m", "key": "wrong"}
        message = self.gateway.ok("POST", "/providers/two/test", body)["error"]["message"]
        self.assertIn("Put in the right one.", message)
        self.assertNotIn("resume", message)
        port = frame.free_port()
        body["base_url"] = f"http://127.0.0.1:{port}/v1"
        message = self.gateway.ok("POST", "/providers/two/test", body)["error"]["message"]
        self.assertIn(f"127.0.0.1:{port} cannot be reached", message)
        self.assertNotIn("tried again", message)

    def test_a_limit_that_is_written_is_no_surprise(self):
        self.put("one", {"max_concurrency": 2})
        self.put("one", {"max_concurrency": 3, "requests_per_minute": 50})
        self.assertEqual(self.gateway.ok("GET", "/providers/one")["max_concurrency"], 3)
        self.assertNotIn("stored and used", self.gateway.stderr)

    def test_the_last_test_is_shown_until_it_is_changed(self):
        self.assertIsNone(self.gateway.ok("GET", "/providers/one")["tested"])
        self.gateway.ok("POST", "/providers/one/test", {})
        tested = self.gateway.ok("GET", "/providers/one")["tested"]
        self.assertTrue(tested["ok"])
        self.assertIn("mock-model", tested["models"])
        self.put("one", {"max_concurrency": 2})
        self.assertIsNone(self.gateway.ok("GET", "/providers/one")["tested"])

    def test_several_keys(self):
        self.provider.provider("one", keys=["k3y-two-that-works"])
        shown = self.put("one", {"key": "k3y-one-wrong\n k3y-two-that-works \n\nk3y-three-wrong"})
        self.assertEqual(shown.json()["keys"], 3)
        for task_id in [self.gateway.submit(f"t{n}") for n in range(12)]:
            self.assertEqual(self.gateway.wait_task(task_id)["status"], "completed")
        self.assertLessEqual(self.provider.stats("one")["calls"], 12 + 2 * 5)
        reply = self.gateway.ok("POST", "/providers/one/test")
        self.assertIn("Key 1 of 3", reply["error"]["message"])
        self.put("one", {"key": "all\nwrong"})
        task_id = self.gateway.submit("t")
        frame.wait_for(lambda: self.reason(task_id) == "auth", "the reason", 10)
        self.problem(self.gateway.request("PUT", "/providers/one", json={"key": "a b"}), 422, "key")
        shown = json.dumps(self.gateway.ok("GET", "/providers")) + self.gateway.stderr
        self.assertNotIn("k3y-", shown)

    def test_a_command_as_one_line(self):
        shown = self.put("say", {"kind": "command", "command": "/bin/cat '-'"}).json()
        self.assertEqual(shown["command"], ["/bin/cat", "-"])
        task = self.gateway.wait_task(self.gateway.submit("echo", provider="say"))
        self.assertEqual(task["result"], "echo")
        self.problem(self.gateway.request("PUT", "/providers/say", json={"command": "a 'b"}), 422,
                     "command")

    def test_title_and_order_last(self):
        self.put("two", {"base_url": self.provider.base("two"), "title": "我的服务"})
        names = [one["name"] for one in self.gateway.ok("GET", "/providers")["providers"]]
        self.assertLess(names.index("one"), names.index("two"))
        given = self.gateway.ok("PATCH", "/settings", {"provider_order": ["two", "one"]})
        self.assertEqual(given["provider_order"][:2], ["two", "one"])
        self.gateway.terminate()
        self.gateway = self.daemon()
        shown = self.gateway.ok("GET", "/providers")
        self.assertTrue(shown["writable"])
        self.assertEqual([one["name"] for one in shown["providers"]][:2], ["two", "one"])
        self.assertEqual(shown["providers"][0]["title"], "我的服务")

    def test_servers_of_this_machine_are_found(self):
        def found():
            shown = self.gateway.ok("GET", "/providers?find=1")["providers"]
            return {one["name"]: one["found"] for one in shown}
        self.assertIsNone(found()["ollama"])
        listener = self.mock(providers={"ollama": {"models": ["qwen", "llama"]}})
        self.put("ollama", {"base_url": listener.base("ollama"), "enabled": False})
        self.assertEqual(found()["ollama"], {"models": ["qwen", "llama"]})
        self.assertIsNone(found()["one"])
        self.problem(self.gateway.get("/providers?find=x"), 422, "find")

    def test_removed(self):
        self.put("two", {"base_url": self.provider.base("two"), "model": "m"})
        self.gateway.ok("DELETE", "/providers/two")
        reply = self.gateway.get("/providers/two")     # its history may still be shown
        self.assertTrue(reply.status_code == 404 or not reply.json()["in_use"], reply.text)
        self.problem(self.gateway.request("DELETE", "/providers/two"), 404)
        with open(self.home.config_file, encoding="utf-8") as file:
            self.assertNotIn("[provider two]", file.read())
        self.problem(self.gateway.post("/tasks", {"content": "t", "provider": "two"}), 422,
                     "provider")
        self.assertEqual(self.gateway.wait_task(self.gateway.submit("t"))["status"], "completed")

    def test_removed_takes_its_limits_along(self):
        body = {"base_url": self.provider.base("two"), "model": "m", "max_concurrency": 2}
        self.put("two", body)
        self.gateway.ok("DELETE", "/providers/two")
        self.gateway.terminate()
        self.gateway = self.daemon(config=self.lanes(self.provider, one={},
                                                     two={"max_concurrency": 4}))
        self.assertEqual(self.gateway.ok("GET", "/providers/two")["max_concurrency"], 4)
        self.assertNotIn("stored and used", self.gateway.stderr)
        # Who only leaves it out of the file for a while finds the stored ones again.
        self.gateway.terminate()
        self.gateway = self.daemon(config=self.lanes(self.provider, one={}))
        self.gateway.terminate()
        self.gateway = self.daemon(config=self.lanes(self.provider, one={},
                                                     two={"max_concurrency": 3}))
        self.gateway.wait_line("two: 3 at once .* 4 at once .* stored and used", kind="stderr")

    def test_what_is_written_is_what_was_changed(self):
        path = self.home.configure("# mine\n[provider up]\nkind=command # a program\n"
                                   "command=tr a-z A-Z\n\n# the end\n")
        self.gateway.terminate()
        self.gateway = self.daemon()
        self.put("up", {"max_concurrency": 2})
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "# mine\n[provider up]\nkind=command # a program\n"
                             "command=tr a-z A-Z\nmax-concurrency=2\n\n# the end\n")

    def test_unwritable_configuration_is_said(self):
        if os.getuid() == 0:
            folder = os.path.dirname(self.home.config_file)
            os.rename(folder, folder + ".away")
            with open(folder, "w", encoding="ascii"):
                pass        # a file where the folder was: nobody can write below it
        else:
            os.chmod(os.path.dirname(self.home.config_file), 0o500)
        reply = self.gateway.request("PUT", "/providers/one", json={"max_concurrency": 3})
        self.assertGreaterEqual(reply.status_code, 400)
        self.assertIn("gangway.conf", reply.json()["detail"])
        if os.getuid() != 0:
            os.chmod(os.path.dirname(self.home.config_file), 0o700)


class Settings(frame.Case):
    def test_changed_under_a_run_and_kept(self):
        provider = self.mock(providers={"one": {"latency": 0.2}})
        gateway = self.daemon(config="# stays\n" + self.lanes(provider, "max-concurrency=1", one={}))
        shown = gateway.ok("GET", "/settings")
        self.assertEqual({name: shown[name] for name in ("max_concurrency", "max_attempts",
                                                         "keep_days", "after_crash", "writable")},
                         {"max_concurrency": 1, "max_attempts": 3, "keep_days": 0,
                          "after_crash": "resend", "writable": True})
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(24)]})
        frame.wait_for(lambda: provider.stats("one")["answered"] >= 2, "two answers")
        self.assertEqual(provider.stats("one")["max_in_flight"], 1)
        shown = gateway.ok("PATCH", "/settings", {"max_concurrency": 4, "max_attempts": 1,
                                                  "keep_days": 30, "after_crash": "hold"})
        self.assertEqual((shown["max_concurrency"], shown["after_crash"]), (4, "hold"))
        for task_id in given["task_ids"]:
            gateway.wait_task(task_id)
        self.assertEqual(provider.stats("one")["max_in_flight"], 4)
        provider.provider("one", always={"do": "status", "status": 500})
        task = gateway.wait_task(gateway.submit("fails at once"))
        self.assertEqual((task["status"], task["metadata"]["tries"]), ("failed", 1))
        gateway.terminate()
        gateway = self.daemon()
        shown = gateway.ok("GET", "/settings")
        self.assertEqual([shown[name] for name in ("max_concurrency", "max_attempts", "keep_days",
                                                   "after_crash")], [4, 1, 30, "hold"])
        with open(self.home.config_file, encoding="utf-8") as file:
            self.assertIn("# stays", file.read())

    def test_wrong_values_are_named_and_change_nothing(self):
        provider = self.mock()
        gateway = self.daemon(config=self.lanes(provider, one={}))
        for body, word in [({"max_concurrency": 0}, "max_concurrency"),
                           ({"max_concurrency": 10001}, "max_concurrency"),
                           ({"max_concurrency": None}, "max_concurrency"),
                           ({"max_attempts": "3"}, "max_attempts"),
                           ({"keep_days": -1}, "keep_days"),
                           ({"after_crash": "shrug"}, "after_crash"),
                           ({"provider_order": "one"}, "provider_order"),
                           ({"provider_order": ["one", "one"]}, "provider_order"),
                           ({"provider_order": ["nobody"]}, "provider_order"),
                           ({"max_attempts": 9, "keep_days": 99999}, "keep_days")]:
            with self.subTest(body=body):
                self.problem(gateway.request("PATCH", "/settings", json=body), 422, word)
        shown = gateway.ok("PATCH", "/settings", {"unknown": 1})
        self.assertEqual((shown["max_concurrency"], shown["max_attempts"]), (10, 3))
        self.problem(gateway.request("PATCH", "/settings", json=[]), 422)
        self.problem(gateway.request("PUT", "/settings", json={}), 405)


if __name__ == "__main__":
    frame.main()
