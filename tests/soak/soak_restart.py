#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""300 tasks over three lanes through more than two minutes, the daemon stopped in the middle.

Run by hand: GW_BUILD_DIR=build /usr/bin/python3 tests/soak/soak_restart.py
By names: `... soak_restart.py Soak.test_kill`. The mock enforces the limits and counts; the case
fails on one breach, one lost task, or one purchase too many.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import crash  # noqa: E402
import frame  # noqa: E402


class Soak(frame.Case):
    def run_through(self, kill):
        mock = self.mock(total=10, seed=1, providers={
            "hunyuan": {"concurrency": 5, "latency": {"median": 4.5, "sigma": 0.3}},
            "nvidia": {"concurrency": 5, "rpm": 40, "latency": {"median": 3.0, "sigma": 0.4},
                       "form": "nvidia"},
            "zhipu": {"concurrency": 1, "latency": {"median": 2.5, "sigma": 0.3},
                      "form": "zhipu"}})
        config = self.lanes(
            mock, hunyuan={"latency": 4.5}, zhipu={"max_concurrency": 1, "latency": 2.5},
            nvidia={"requests_per_minute": 40, "latency": 3.0})
        run = crash.RunThroughStops(self, mock, config, [f"task {n}" for n in range(300)])
        run.patience = 600
        run.wait_answered(120)
        run.stop(kill)
        twice = run.check(900)
        if not kill:
            self.assertEqual(twice, set())

    def test_kill(self):
        self.run_through(kill=True)

    def test_terminate(self):
        self.run_through(kill=False)


if __name__ == "__main__":
    frame.main()
