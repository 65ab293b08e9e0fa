# SPDX-License-Identifier: GPL-3.0-or-later
"""The short form of tests/soak/soak_redis.py: kills of workers and of Redis under a run."""

import frame
import redis_run


class Soak(frame.Case):
    def test_kills(self):
        run = redis_run.RunOnRedis(self, 300, latency=0.15)
        run.wait_answered(0.2)
        run.kill_worker()
        run.wait_answered(0.45)
        run.restart_redis()
        run.wait_answered(0.7)
        run.kill_worker()
        run.check(120)


if __name__ == "__main__":
    frame.main()
