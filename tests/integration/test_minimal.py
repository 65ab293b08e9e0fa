# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that has only the two calls is found and used."""

import json
import os

import frame


class Minimal(frame.Case):
    def minimal(self, port):
        process = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(frame.HERE, "minimal_gateway.py"), str(port)],
            env=self.home.env, name="minimal gateway"))
        return process.wait_line(r"listening on (\S+)").group(1)

    def check(self, process, tasks):
        results = json.loads(process.stdout)
        self.assertEqual([task["content"] for task in results], tasks)
        self.assertEqual([task["result"] for task in results], [task.upper() for task in tasks])
        self.assertEqual([task["status"] for task in results], ["completed"] * len(tasks))
        self.assertEqual({task["metadata"]["model"] for task in results}, {"m"})
        self.assertFalse(os.path.exists(os.path.join(self.home.data, "queue.db")))

    def test_found_at_the_default_address(self):
        self.minimal(8000)
        tasks = [f"t{n}" for n in range(25)]
        self.check(self.run_batch(stdin="\n".join(tasks)), tasks)

    def test_used_where_it_was_named(self):
        url = self.minimal(0)
        tasks = [f"t{n}" for n in range(4)]
        self.check(self.run_batch("--gateway", url, "--serial", stdin="\n".join(tasks)), tasks)

    def test_failure_there_is_1(self):
        url = self.minimal(0)
        process = self.run_batch("--gateway", url, stdin="good\nbad\n", code=1)
        results = json.loads(process.stdout)
        self.assertEqual([task["status"] for task in results], ["completed", "failed"])
        self.assertIn("no", json.dumps(results[1]["error"]))

    def test_formats(self):
        url = self.minimal(0)
        path = self.home.file("r.csv")
        self.run_batch("--gateway", url, "--output", path, stdin="a\nb\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()), 3)


if __name__ == "__main__":
    frame.main()
