#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""10 000 tasks over four workers on one Redis; workers and Redis are killed on the way.

Run by hand: GW_BUILD_DIR=build /usr/bin/python3 tests/soak/soak_redis.py
The moments are by chance: what GW_TEST_SEED= the run prints sets them again. The mock enforces the
limits and counts; one breach, one lost task, or one purchase too many fails the case.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import frame  # noqa: E402
import redis_run  # noqa: E402


class Soak(frame.Case):
    def test_ten_thousand(self):
        run = redis_run.RunOnRedis(self, int(os.environ.get("GW_SOAK_TASKS", "10000")))
        whens = sorted(run.random.uniform(0.1, 0.9) for _ in range(3))
        acts = [run.kill_worker, run.kill_worker, run.restart_redis]
        run.random.shuffle(acts)
        for when, act in zip(whens, acts):
            run.wait_answered(when, 300)
            act()
        run.check(600)


if __name__ == "__main__":
    frame.main()
