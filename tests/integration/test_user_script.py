# SPDX-License-Identifier: GPL-3.0-or-later
"""A script as users have it, and ten tasks of 1.5 s: the first things that anyone tries."""

import json
import os
import time

import frame

THREE_LANES = {
    "hunyuan": {"concurrency": 5, "latency": 1.5},
    "nvidia": {"concurrency": 5, "rpm": 40, "latency": 1.5, "form": "nvidia"},
    "zhipu": {"concurrency": 1, "latency": 1.5, "form": "zhipu"},
}


class Scripts(frame.Case):
    def three_lanes(self):
        mock = self.mock(total=10, providers=THREE_LANES)
        return mock, self.lanes(
            mock, hunyuan={"latency": 1.5}, zhipu={"max_concurrency": 1, "latency": 1.5},
            nvidia={"requests_per_minute": 40, "latency": 1.5})

    def test_script_runs_unchanged(self):
        """Five threads post and poll each second, at the default address."""
        mock, config = self.three_lanes()
        daemon = self.daemon(config=config, port=None)
        self.assertEqual(daemon.url, "http://127.0.0.1:8000")
        script = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "user_script.py")], env=self.home.env))
        self.assertEqual(script.wait(60), 0, script.stderr)
        self.assertEqual(script.stdout.splitlines(), [
            f"[{n}] (mock-model) answer to: Write one sentence about the number {n}."
            for n in range(1, 11)])
        self.assertEqual(mock.stats()["breaches"], 0)
        self.assertEqual(set(mock.bought().values()), {1})

    def ten_tasks(self, *arguments):
        mock, config = self.three_lanes()
        self.home.configure(config)
        tasks = [f"Frage {n}: 你好 ✓" for n in range(10)]
        source = self.home.file("tasks.txt", "\n".join(tasks) + "\n")
        target = self.home.file("results.json")
        start = time.monotonic()
        self.run_batch(source, "--output", target, *arguments)
        self.diagnose(f"ten tasks of 1.5 s, {' '.join(arguments) or 'default'}: "
                      f"{time.monotonic() - start:.2f} s")
        with open(target, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("你好 ✓", text)
        results = json.loads(text)
        self.assertEqual([task["content"] for task in results], tasks)
        self.assertEqual([task["result"] for task in results],
                         [f"answer to: {task}" for task in tasks])
        stats = mock.stats()
        self.assertEqual(stats["breaches"], 0)
        self.assertEqual(set(mock.bought().values()), {1})
        return stats, mock.calls()

    def test_ten_tasks_one_at_a_time(self):
        stats, calls = self.ten_tasks("--serial")
        self.assertEqual(stats["max_in_flight"], 1)
        calls.sort(key=lambda call: call["arrived"])
        self.assertEqual([call["content"][:7] for call in calls],
                         [f"Frage {n}" for n in range(10)])

    def test_ten_tasks_five_at_once(self):
        stats, _ = self.ten_tasks("--concurrency", "5")
        self.assertEqual(stats["max_in_flight"], 5)

    def test_ten_tasks_as_fast_as_limits_allow(self):
        stats, _ = self.ten_tasks()
        self.assertEqual(stats["max_in_flight"], 10)


if __name__ == "__main__":
    frame.main()
