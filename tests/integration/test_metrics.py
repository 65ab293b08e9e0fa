# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /metrics: valid Prometheus text, of both kinds of queue, and every name of it explained."""

import math
import os
import re

import frame

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
PARTS = {"summary": ("_sum", "_count", ""), "histogram": ("_sum", "_count", "_bucket")}


def parse(text):
    """The samples of a text in the format 0.0.4; raises where it is none."""
    assert text.endswith("\n") and "\r" not in text
    types, helped, samples, family, closed = {}, set(), {}, None, set()
    for line in text.splitlines():
        assert line and line == line.strip(), repr(line)
        if line.startswith("#"):
            word, name, rest = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (\S.*)", line).groups()
            if word == "HELP":
                assert name not in helped, f"two HELP lines of {name}"
                helped.add(name)
            else:
                assert name not in types, f"two TYPE lines of {name}"
                assert rest in ("counter", "gauge", "summary", "histogram", "untyped"), line
                types[name] = rest
            if name != family:
                assert name not in closed, f"{name} stands in two places"
                closed.add(family)
                family = name
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f"no sample: {line!r}"
        name, labels, value = match.groups()
        bases = [name[:len(name) - len(part)] if part else name
                 for part in PARTS.get(types.get(family), ("",)) if name.endswith(part)]
        assert family in bases, f"{name} stands under {family}"
        found = LABEL.findall(labels or "")
        assert "".join(f'{key}="{text}",' for key, text in found).rstrip(",") == (labels or ""), line
        assert len({key for key, _ in found}) == len(found), line
        key = (name, tuple(sorted(found)))
        assert key not in samples, f"twice: {line}"
        number = float(value)
        assert not math.isnan(number), line
        assert types[family] != "counter" or number >= 0, line
        samples[key] = number
    assert set(types) == helped
    return samples, types


class Metrics(frame.Case):
    def read(self, gateway):
        reply = gateway.get("/metrics")
        self.assertEqual(reply.status_code, 200)
        self.assertEqual(reply.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        samples, types = parse(reply.text)
        page = os.path.join(frame.HERE, "..", "..", "docs", "redis.md")
        with open(page, encoding="utf-8") as file:
            told = file.read()
        for name in types:
            self.assertTrue(f"`{name}`" in told, f"docs/redis.md does not explain {name}")
        return samples

    def value(self, samples, name, **labels):
        return samples[(name, tuple(sorted(labels.items())))]

    def run_some(self, gateway):
        given = gateway.ok("POST", "/tasks/batch", {"tasks": [f"t{n}" for n in range(5)],
                                                    "project": "run"})
        gateway.wait_project(given["project_id"])

    def test_embedded(self):
        mock = self.mock(providers={"one": {"concurrency": 20}})
        gateway = self.daemon(config=self.lanes(mock, one={}))
        self.run_some(gateway)
        samples = self.read(gateway)
        self.assertEqual(self.value(samples, "gangway_tasks", status="completed"), 5)
        self.assertEqual(self.value(samples, "gangway_provider_sent_total", provider="one"), 5)
        self.assertEqual(self.value(samples, "gangway_queue_up"), 1)
        self.assertFalse([name for name, _ in samples if "redis" in name])

    def test_redis(self):
        socket = os.path.join(self.home.path, "redis.sock")
        arguments = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir",
                     self.home.path, "--appendonly", "yes"]
        redis = self.keep(frame.Process(arguments, env={"PATH": os.environ["PATH"]}))
        redis.wait_line(r"ready to accept connections at")
        uri = f"redis+unix://{socket}"
        mock = self.mock(providers={"one": {"concurrency": 20, "latency": 0.02}})
        gateway = self.daemon("--redis", uri, "--no-workers", config=self.lanes(mock, one={}))
        worker = self.daemon_unready("--redis", uri, "--workers-only", port=None)
        worker.wait_line("working on")
        self.run_some(gateway)
        frame.wait_for(lambda: self.value(self.read(gateway), "gangway_queue_engines") == 2,
                       "both are counted")
        samples = self.read(gateway)
        self.assertEqual(self.value(samples, "gangway_redis_connected"), 1)
        self.assertEqual(self.value(samples, "gangway_redis_connections_total"), 1)
        self.assertGreater(self.value(samples, "gangway_redis_steps_total"), 3)
        self.assertGreater(self.value(samples, "gangway_redis_round_trip_seconds_sum"), 0)
        self.assertEqual(self.value(samples, "gangway_undelivered"), 0)
        self.assertFalse([name for name, _ in samples if name == "gangway_queue_trouble"])

        # Away: the gateway's own numbers are told all the same.
        redis.kill()
        frame.wait_for(lambda: not self.value(self.read(gateway), "gangway_redis_connected"),
                       "it is away")
        samples = self.read(gateway)
        self.assertEqual(self.value(samples, "gangway_queue_up"), 0)
        self.assertEqual(self.value(samples, "gangway_queue_trouble", code="away"), 1)
        self.keep(frame.Process(arguments, env={"PATH": os.environ["PATH"]})).wait_line(
            r"ready to accept connections at")
        frame.wait_for(lambda: self.value(self.read(gateway), "gangway_queue_up") == 1, "it is back")
        samples = self.read(gateway)
        self.assertEqual(self.value(samples, "gangway_redis_connections_total"), 2)
        self.assertGreaterEqual(self.value(samples, "gangway_redis_failures_total"), 1)
        self.assertEqual(self.value(samples, "gangway_tasks", status="completed"), 5)


if __name__ == "__main__":
    frame.main()
