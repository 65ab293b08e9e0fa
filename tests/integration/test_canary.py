# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and tokens are seen nowhere: everything runs with canaries, and all output is searched."""

import hashlib
import json
import os
import signal

import frame

TOKEN = "canary-token-51b7e0c2aa94f3d6"


class Canary(frame.Case):
    def search(self, *more):
        """No canary in any output, in any file of the home, or in @more."""
        for text in (frame.CANARY, TOKEN):
            for process in self.processes:
                for kind in ("stdout", "stderr"):
                    self.assertNotIn(text, process.text(kind), f"{process.name} {kind}")
            self.assertEqual(self.home.find_text(text), [])
            for entry in more:
                self.assertNotIn(text, entry)

    def visible(self, gateway, headers):
        """Everything that the gateway tells by GET."""
        return [gateway.get(path, headers=headers).text for path in (
            "/tasks", "/projects", "/providers", "/providers/one", "/providers/echo",
            "/attempts", "/recovery", "/health", "/metrics",
            "/projects/default/results?format=csv", "/projects/default/results?format=md")]

    def test_daemon(self):
        mock = self.mock(providers={
            "one": {"keys": [frame.CANARY]}, "refusing": {"keys": ["another"]},
            # providers that send the key back, in every part of a reply
            "echo": {"first": [
                {"do": "status", "status": 500, "headers": {"X-Key": frame.CANARY},
                 "body": {"error": {"message": f"bad call with Bearer {frame.CANARY}"}}},
                {"do": "json", "raw": f"<html>Authorization: Bearer {frame.CANARY}</html>"},
                {"do": "status", "status": 400,
                 "body": {"error": {"message": f"no such member: {frame.CANARY}"}}}]},
        })
        lanes = self.lanes(mock, "max-attempts=5", **{
            name: {"api_key_env": "CANARY_KEY", "timeout_seconds": 2}
            for name in ("one", "refusing", "echo")})
        token = self.home.file("../" + os.path.basename(self.home.path) + ".token", TOKEN)
        self.addCleanup(os.unlink, token)
        gateway = self.daemon("--log-level", "debug", env={"CANARY_KEY": frame.CANARY},
                              config=f"[gateway]\ntoken-file={token}\n" + lanes)
        headers = {"Authorization": f"Bearer {TOKEN}"}

        def submit(content, provider):
            return gateway.ok("POST", "/tasks", {"content": content, "provider": provider},
                              headers=headers)["task_id"]

        ids = [submit(f"t{n}", "one") for n in range(5)]
        refused = submit("x", "refusing")
        echoed = submit("y", "echo")

        def ended(task_id):
            task = gateway.ok("GET", f"/tasks/{task_id}", headers=headers)
            return task["status"] in frame.FINAL and task

        for task_id in ids:
            frame.wait_for(lambda one=task_id: ended(one), "the task")
        self.assertEqual(set(mock.stats("one")["keys"]),
                         {hashlib.sha256(frame.CANARY.encode()).hexdigest()[:16]})
        frame.wait_for(lambda: ended(echoed) or mock.stats("echo")["calls"] >= 3,
                       "the echoing lane", 60)
        frame.wait_for(lambda: mock.stats("refusing")["refused_keys"] >= 1, "the refusal")
        gateway.request("POST", "/providers/one/test", headers=headers)
        gateway.request("POST", "/providers/refusing/test", headers=headers)
        seen = self.visible(gateway, headers)
        seen += [gateway.get(f"/tasks/{one}", headers=headers).text for one in (refused, echoed)]
        seen += [gateway.get(f"/tasks/{one}/attempts", headers=headers).text
                 for one in (refused, echoed)]
        self.search(*seen)
        gateway.signal(signal.SIGTERM)
        gateway.wait()
        self.search()

    def test_key_written_over_http(self):
        """It can be written, works, and is never given back or put into a file in clear."""
        mock = self.mock(providers={"one": {"keys": [frame.CANARY]}})
        gateway = self.daemon(config=self.lanes(mock, one={"api_key_env": "UNSET_KEY"}))
        reply = gateway.request("PUT", "/providers/one", json={"key": frame.CANARY})
        self.assertEqual(reply.status_code, 200, reply.text)
        task = gateway.wait_task(gateway.submit("t", provider="one"))
        self.assertEqual(task["status"], "completed")
        self.search(reply.text, *self.visible(gateway, {}))

    def test_batch_embedded(self):
        mock = self.mock(providers={"one": {"keys": [frame.CANARY]},
                                    "two": {"keys": ["another"]}})
        self.home.configure(self.lanes(mock, **{name: {"api_key_env": "CANARY_KEY"}
                                                for name in ("one", "two")}))
        process = self.run_batch("--output", self.home.file("r.json"), stdin="a\nb\nc\n",
                                 env={"CANARY_KEY": frame.CANARY})
        with open(self.home.file("r.json"), encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)), 3)
        self.search(" ".join(process.arguments))

    def test_keys_of_the_catalogue(self):
        """The well-known variables: which were found is said, what is in them is not."""
        names = ("HUNYUAN_API_KEY", "TENCENT_API_KEY", "NVIDIA_API_KEY", "ZHIPU_API_KEY",
                 "OPENAI_API_KEY", "DEEPSEEK_API_KEY")
        gateway = self.daemon("--no-workers", "--log-level", "debug",
                              env={name: frame.CANARY for name in names})
        providers = gateway.ok("GET", "/providers")["providers"]
        self.assertGreaterEqual(len(providers), 6)
        for name in names:
            gateway.wait_line(name, kind="stderr")
        self.search(json.dumps(providers), *self.visible(gateway, {}))

    def test_wrong_configuration_with_a_key_in_it(self):
        """Somebody writes the key itself where its variable's name belongs."""
        gateway = self.daemon_unready(config="[provider one]\nkind=openai\n"
                                      f"api-key={frame.CANARY}\n")
        self.assertEqual(gateway.wait(), 2)
        self.assertIn("api-key", gateway.stderr)
        for kind in ("stdout", "stderr"):
            self.assertNotIn(frame.CANARY, gateway.text(kind))


if __name__ == "__main__":
    frame.main()
