# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the HTTP table have in common: a daemon with one lane, and what a task is like."""

import json
import re

import frame

TASK_MEMBERS = {"task_id", "project_id", "status", "content", "result", "error", "created_at",
                "started_at", "finished_at", "attempts", "revision", "metadata"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
NOWHERE = "0191e0a0-0000-7000-8000-000000000000"


class HttpCase(frame.Case):
    """A daemon with one lane at the mock."""

    lane = {}

    def setUp(self):
        super().setUp()
        self.provider = self.mock()
        self.gateway = self.daemon(config=self.lanes(self.provider, one=self.lane))

    def hold(self):
        """Lets no further call be answered, so that tasks stay where they are."""
        self.provider.provider("one", always={"do": "hang"})

    def fail_next(self, count=1):
        self.provider.provider("one", first=[{"do": "refused", "form": "zhipu"}] * count)

    def check_task(self, task):
        self.assertEqual(TASK_MEMBERS - set(task), set())
        self.assertIn(task["status"], ("queued", "running", "completed", "failed", "cancelled"))
        for name in ("created_at", "started_at", "finished_at"):
            if task[name] is not None:
                self.assertRegex(task[name], TIME)
        self.assertIsInstance(task["metadata"], dict)
        self.assertIn("model", task["metadata"])
        self.assertIsInstance(task["revision"], int)

    def reject(self, method, path, body, status, *words):
        """A wrong call with a JSON body, text or bytes; the problem it is answered with."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        if isinstance(data, str):
            data = data.encode("utf-8")
        reply = self.gateway.request(method, path, data=data,
                                     headers={"Content-Type": "application/json"})
        return self.problem(reply, status, *words)
