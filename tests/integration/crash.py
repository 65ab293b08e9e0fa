# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after a stop or a crash in the middle of a run; shared by tests and soak runs."""

import time

import frame


def named_in(value, known):
    """The strings of @known that stand anywhere in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*(named_in(entry, known) for entry in value)) if value else set()
    return {value} & known if isinstance(value, str) else set()


class RunThroughStops:
    """One batch of tasks through a daemon that is stopped or killed on the way.

    case: the running test case; mock: its provider; config: gangway.conf; tasks: contents.
    """

    def __init__(self, case, mock, config, tasks):
        self.case = case
        self.mock = mock
        self.tasks = tasks
        self.uncertain = set()
        self.patience = 90          # for one wait; soak runs have more
        self.gateway = case.daemon(config=config)
        given = self.gateway.ok("POST", "/tasks/batch", {"tasks": tasks, "project": "run"})
        self.project = given["project_id"]
        self.ids = dict(zip(given["task_ids"], tasks))
        case.assertEqual(len(self.ids), len(tasks))

    def wait_answered(self, count):
        frame.wait_for(lambda: self.mock.stats()["answered"] >= count, f"{count} answers",
                       patience=self.patience, every=0.01)

    def stop(self, kill, *arguments):
        """Ends the daemon by kill -9 or SIGTERM and starts the next on the same data."""
        if kill:
            self.gateway.kill()
        else:
            self.case.assertEqual(self.gateway.terminate(60), 0, self.gateway.stderr[-2000:])
        before = self.mock.stats()["calls"]
        start = time.monotonic()
        self.gateway = self.case.daemon(*arguments)
        ready = time.monotonic() - start
        recovery = self.gateway.ok("GET", "/recovery")
        named = named_in(recovery, set(self.ids))
        self.case.assertLessEqual(len(named), 10, "more uncertain than the cap lets be in flight")
        if not kill:
            self.case.assertEqual(named, set(), recovery)
        self.uncertain |= named
        self.case.diagnose(f"{'kill' if kill else 'SIGTERM'}: serving after {ready:.2f} s, "
                           f"{len(named)} uncertain, {before} calls so far")

    def check(self, patience=600):
        """Waits for the end; then: one final state and one result each, no breach, and bought
        twice only what /recovery named."""
        case = self.case
        project = self.gateway.wait_project(self.project, patience)
        case.assertEqual(project["counts"]["completed"], len(self.tasks), project["counts"])
        for task_id, content in self.ids.items():
            task = self.gateway.task(task_id)
            case.assertEqual((task["status"], task["result"]),
                             ("completed", f"answer to: {content}"))
        feed = self.gateway.ok("GET", "/tasks?since=0&limit=1000&project=run&fields=task_id")
        case.assertEqual(sorted(task["task_id"] for task in feed["tasks"]),
                         sorted(self.ids)[:1000])
        stats = self.mock.stats()
        breaches = {name: provider["breach_log"] for name, provider in stats["providers"].items()
                    if provider["breach_log"]}
        case.assertEqual(breaches, {})
        bought = self.mock.bought()
        case.assertEqual(set(bought), set(self.tasks))
        twice = {task_id for task_id, content in self.ids.items() if bought[content] > 1}
        case.assertLessEqual(twice, self.uncertain, "bought again without being named")
        case.diagnose(f"{len(self.tasks)} tasks, {sum(bought.values())} bought, "
                      f"{len(self.uncertain)} were uncertain, no breach")
        return twice
