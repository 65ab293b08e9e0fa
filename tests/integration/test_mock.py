# SPDX-License-Identifier: GPL-3.0-or-later
"""The strict mock itself: it enforces what it says, counts, and misbehaves only when told."""

import concurrent.futures
import json
import os
import signal
import socket
import sys
import time
import unittest

import requests

import frame

sys.path.insert(0, os.path.join(frame.HERE, "..", "mock"))
import mock_faults  # noqa: E402


def ask(mock, provider, content, key=None, timeout=10, model="mock-model", session=None, **more):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return (session or requests).post(
        mock.base(provider) + "/chat/completions", headers=headers, timeout=timeout,
        json={"model": model, "messages": [{"role": "user", "content": content}]}, **more)


class Answers(frame.Case):
    def test_answer_echoes_task_and_model(self):
        mock = self.mock()
        reply = ask(mock, "a", "二十 words ✓", model="glm-x").json()
        self.assertEqual(reply["choices"][0]["message"]["content"], "answer to: 二十 words ✓")
        self.assertEqual(reply["model"], "glm-x")
        usage = reply["usage"]
        self.assertEqual(usage["prompt_tokens"] + usage["completion_tokens"],
                         usage["total_tokens"])

    def test_last_user_message_is_the_task(self):
        mock = self.mock()
        reply = requests.post(mock.base("a") + "/chat/completions", timeout=10, json={
            "model": "m", "messages": [{"role": "system", "content": "be brief"},
                                       {"role": "user", "content": "hello"}]}).json()
        self.assertEqual(reply["choices"][0]["message"]["content"], "answer to: hello")

    def test_models_and_keys(self):
        mock = self.mock(providers={"a": {"models": ["x", "y"], "keys": ["right"],
                                          "strict_models": True}})
        models = requests.get(mock.base("a") + "/models", timeout=10,
                              headers={"Authorization": "Bearer right"}).json()
        self.assertEqual([model["id"] for model in models["data"]], ["x", "y"])
        self.assertEqual(ask(mock, "a", "t", key="wrong").status_code, 401)
        self.assertEqual(ask(mock, "a", "t").status_code, 401)
        self.assertEqual(ask(mock, "a", "t", key="right", model="z").status_code, 404)
        self.assertEqual(ask(mock, "a", "t", key="right", model="x").status_code, 200)
        stats = mock.stats("a")
        self.assertEqual(stats["refused_keys"], 2)
        self.assertEqual(len(stats["keys"]), 3)
        self.assertNotIn("right", json.dumps(stats))

    def test_wrong_orders_are_refused(self):
        mock = self.mock()
        for order in ({"totl": 1}, {"providers": {"a": {"concurency": 1}}}):
            with self.assertRaises(AssertionError):
                mock.control(**order)

    def test_pipelined_and_chunked_requests(self):
        mock = self.mock()
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "p"}]}).encode()
        plain = (b"POST /a/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                 % len(body)) + body
        chunked = (b"POST /a/v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                   b"\r\nConnection: close\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        with socket.create_connection(("127.0.0.1", mock.port)) as sock:
            sock.sendall(plain + plain + chunked)
            seen = b""
            while data := sock.recv(65536):
                seen += data
        self.assertEqual(seen.count(b"HTTP/1.1 200"), 3)
        self.assertEqual(seen.count(b"answer to: p"), 3)


class Limits(frame.Case):
    def test_concurrency_is_enforced_and_breaches_counted(self):
        mock = self.mock(providers={"a": {"concurrency": 3, "latency": 0.4}})
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            codes = sorted(reply.status_code for reply in
                           pool.map(lambda n: ask(mock, "a", f"t{n}"), range(5)))
        self.assertEqual(codes, [200, 200, 200, 429, 429])
        stats = mock.stats("a")
        self.assertEqual(stats["breaches_by_kind"], {"concurrency": 2})
        self.assertEqual(stats["max_in_flight"], 3)
        self.assertEqual(stats["answered"], 3)
        self.assertEqual(stats["in_flight"], 0)

    def test_total_over_all_providers(self):
        mock = self.mock(total=2, providers={name: {"latency": 0.4} for name in "abc"})
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            codes = sorted(reply.status_code for reply in
                           pool.map(lambda name: ask(mock, name, "t"), "abc"))
        self.assertEqual(codes, [200, 200, 429])
        self.assertEqual(mock.stats()["breaches"], 1)
        self.assertEqual(mock.stats()["max_in_flight"], 2)

    def test_window_is_rolling_and_exact(self):
        """40 a window at arrival: the 41st is refused until the first is a whole window old."""
        mock = self.mock(providers={"a": {"rpm": 40, "window": 1.0}})
        session = requests.Session()
        codes, arrivals = [], []
        while len([code for code in codes if code == 200]) < 60:
            codes.append(ask(mock, "a", f"t{len(codes)}", session=session).status_code)
        for call in mock.calls("a"):
            if "breach" not in call["how"]:
                arrivals.append(call["arrived"])
            else:   # refused: 40 accepted calls stood in the window that ends there
                inside = [at for at in arrivals if at > call["arrived"] - 1.0 + 1e-6]
                self.assertGreaterEqual(len(inside), 39)
        for first, later in zip(arrivals, arrivals[40:]):
            self.assertGreaterEqual(later - first, 1.0 - 2e-6)
        self.assertEqual(codes[:41], [200] * 40 + [429])
        self.assertEqual(mock.stats("a")["breaches_by_kind"], {"window": codes.count(429)})
        session.close()

    def test_window_counts_at_the_last_byte(self):
        """A request that is slowly written counts from when it was fully read."""
        mock = self.mock(providers={"a": {"rpm": 1, "window": 0.5}})
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "slow"}]})
        head = ("POST /a/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        with socket.create_connection(("127.0.0.1", mock.port)) as sock:
            sock.sendall(head[:-1])
            time.sleep(0.6)
            self.assertEqual(mock.stats("a")["calls"], 0)
            sock.sendall(head[-1:])
            self.assertIn(b"200", sock.recv(65536))
            self.assertEqual(ask(mock, "a", "next").status_code, 429)

    def test_call_stays_in_flight_after_its_client_left(self):
        mock = self.mock(providers={"ghost": {"concurrency": 1, "latency": 1.0},
                                    "plain": {"concurrency": 1, "latency": 1.0, "ghosts": False}})
        for name in ("ghost", "plain"):
            with self.assertRaises(requests.Timeout):
                ask(mock, name, "left alone", timeout=0.2)
        frame.wait_for(lambda: mock.stats("plain")["client_gone"] == 1
                       and mock.stats("ghost")["client_gone"] == 1, "both clients to be missed")
        self.assertEqual(mock.stats("plain")["in_flight"], 0)
        self.assertEqual(mock.stats("ghost")["in_flight"], 1)
        self.assertEqual(ask(mock, "ghost", "too early").status_code, 429)
        frame.wait_for(lambda: mock.stats("ghost")["in_flight"] == 0, "the ghost to end")
        self.assertEqual(ask(mock, "ghost", "later").status_code, 200)
        self.assertEqual(mock.bought()["left alone"], 2)

    def test_seeded_latency_is_the_same_each_time(self):
        spans = []
        for _ in range(2):
            mock = self.mock(seed=7, providers={
                "a": {"latency": {"median": 0.02, "sigma": 0.5, "seed": 3}}})
            for number in range(5):
                ask(mock, "a", f"t{number}")
            spans.append([call["latency"] for call in mock.calls()])
            for call in mock.calls():
                self.assertGreaterEqual(call["free"] - call["arrived"], call["latency"] - 1e-5)
        self.assertEqual(len(set(spans[0])), 5)
        self.assertEqual(*spans)

    def test_reset_forgets(self):
        mock = self.mock(providers={"a": {"rpm": 1}})
        self.assertEqual(ask(mock, "a", "t").status_code, 200)
        self.assertEqual(ask(mock, "a", "t").status_code, 429)
        mock.reset()
        self.assertEqual(mock.stats("a")["breaches"], 0)
        self.assertEqual(ask(mock, "a", "t").status_code, 429)
        mock.reset(everything=True)
        self.assertEqual(ask(mock, "a", "t").status_code, 200)
        self.assertEqual(mock.bought(), {"t": 1})


class Faults(frame.Case):
    """Each behaviour does what its name says on the wire."""

    def raw(self, mock, behaviour, patience=5, provider="a"):
        """The bytes of a reply to one call; ends with b"RST" where the connection was reset."""
        mock.provider(provider, first=[behaviour])
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "t"}]}).encode()
        with socket.create_connection(("127.0.0.1", mock.port), 5) as sock:
            end = time.monotonic() + patience
            sock.sendall(b"POST /%s/v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                         b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                         % (provider.encode(), len(body), body))
            seen = bytearray()
            try:
                sock.settimeout(patience)
                while data := sock.recv(1 << 20):
                    seen += data
                    sock.settimeout(max(0.01, end - time.monotonic()))
            except ConnectionResetError:
                seen += b"RST"
            except TimeoutError:
                seen += b"HANG"
        return bytes(seen)

    def test_every_behaviour_leaves_the_mock_well(self):
        mock = self.mock()
        for name in mock_faults.FAULTS:
            with self.subTest(name):
                behaviour = {"do": name}
                if name in ("hang", "drip"):
                    continue
                if name in ("huge-body", "gzip-bomb"):
                    behaviour["bytes"] = 1 << 22
                seen = self.raw(mock, behaviour, provider=name)
                self.assertTrue(seen)
                self.assertEqual(mock.stats(name)["in_flight"], 0)
                self.assertEqual(ask(mock, name, "well").status_code, 200)

    def test_statuses(self):
        mock = self.mock()
        for name, status in {"rate": 429, "balance": 429, "payment": 402, "unauthorized": 401,
                             "forbidden": 403, "no-model": 404, "html": 502, "redirect": 307,
                             "too-long": 400}.items():
            self.assertTrue(self.raw(mock, {"do": name}).startswith(b"HTTP/1.1 %d " % status),
                            name)
        seen = self.raw(mock, {"do": "rate", "retry_after": 7, "form": "zhipu"})
        self.assertIn(b"Retry-After: 7\r\n", seen)
        self.assertIn(b'"1302"', seen)
        seen = self.raw(mock, {"do": "rate", "retry_after": "date+60"})
        self.assertRegex(seen, rb"Retry-After: \w{3}, \d\d \w{3} \d{4}")
        seen = self.raw(mock, {"do": "status", "status": 529, "body": {"a": 1}})
        self.assertTrue(seen.startswith(b"HTTP/1.1 529 ") and seen.endswith(b'{"a": 1}'))

    def test_broken_replies(self):
        mock = self.mock()
        self.assertTrue(self.raw(mock, {"do": "reset"}).endswith(b"RST"))
        seen = self.raw(mock, {"do": "reset", "half": True})
        self.assertTrue(seen.endswith(b"RST") and b"200 OK" in seen)
        seen = self.raw(mock, {"do": "truncated"})
        length = int(seen.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        self.assertLess(len(seen.partition(b"\r\n\r\n")[2]), length)
        self.assertTrue(self.raw(mock, {"do": "hang"}, patience=0.3).endswith(b"HANG"))
        seen = self.raw(mock, {"do": "hang", "after_headers": True}, patience=0.3)
        self.assertTrue(seen.startswith(b"HTTP/1.1 200") and seen.endswith(b"HANG"))
        seen = self.raw(mock, {"do": "drip", "every": 0.05}, patience=0.4)
        self.assertIn(b"200 OK", seen)
        self.assertIn(b"\xff\xfe", self.raw(mock, {"do": "invalid-utf8"}))
        self.assertIn(b"\\ud800", self.raw(mock, {"do": "surrogate"}))
        self.assertIn(b"1e999", self.raw(mock, {"do": "big-number"}))
        self.assertEqual(self.raw(mock, {"do": "duplicate-keys"}).count(b'"choices"'), 2)
        self.assertNotIn(b"[DONE]", self.raw(mock, {"do": "stream", "no_done": True}))
        self.assertNotIn(b"finish_reason\": \"stop", self.raw(mock, {
            "do": "stream", "no_finish": True}))
        self.assertIn(b"\xe7", self.raw(mock, {"do": "balance", "form": "zhipu"}))

    def test_reset_of_the_reused_connection(self):
        mock = self.mock(providers={"a": {"first": [{"do": "reset-next"}]}})
        session = requests.Session()
        self.assertEqual(ask(mock, "a", "one", session=session).status_code, 200)
        with self.assertRaises(requests.ConnectionError):
            ask(mock, "a", "two", session=session)
        self.assertEqual(ask(mock, "a", "two", session=session).status_code, 200)
        self.assertNotIn("never", mock.bought())
        self.assertEqual(mock.bought(), {"one": 1, "two": 1})
        session.close()

    def test_redirect_goes_elsewhere_and_is_counted(self):
        mock = self.mock(providers={"a": {"first": [{"do": "redirect"}]}})
        reply = ask(mock, "a", "t", key="secret", allow_redirects=False)
        self.assertEqual(reply.status_code, 307)
        where = reply.headers["Location"]
        self.assertEqual(requests.post(where, timeout=5, json={}).status_code, 404)
        requests.post(where, timeout=5, json={}, headers={"Authorization": "Bearer x"})
        self.assertEqual(mock.stats()["elsewhere"], {"calls": 2, "with_key": 1})

    def test_marks_and_plans_choose_by_turn(self):
        mock = self.mock(providers={
            "a": {"contents": {"special": [{"do": "no-choices"}, None]},
                  "every": [4, {"do": "status", "status": 503}]}})
        self.assertEqual(ask(mock, "a", "special").json()["choices"], [])
        self.assertEqual(len(ask(mock, "a", "special").json()["choices"]), 1)
        marked = 'task [[mock [{"do": "status", "status": 500}, null, {"do": "html"}]]]'
        codes = [ask(mock, "b", marked).status_code for _ in range(4)]
        self.assertEqual(codes, [500, 200, 502, 200])
        always = 'task [[mock {"do": "status", "status": 504}]]'
        self.assertEqual([ask(mock, "b", always).status_code for _ in range(3)], [504] * 3)
        self.assertEqual([ask(mock, "a", "x").status_code for _ in range(2)], [200, 503])

    def test_goes_deaf_and_comes_back(self):
        mock = self.mock()
        self.assertEqual(ask(mock, "a", "before").status_code, 200)
        mock.control(refuse_for=0.6)
        frame.wait_for(lambda: not frame.is_listening("127.0.0.1", mock.port), "deafness", 5, 0.01)
        with self.assertRaises(requests.ConnectionError):
            ask(mock, "a", "during")
        frame.wait_for(lambda: frame.is_listening("127.0.0.1", mock.port), "hearing again", 5)
        self.assertEqual(ask(mock, "a", "after").status_code, 200)


class Frame(frame.Case):
    """The frame notices what it promises to notice."""

    def expect_failure(self, function, words):
        class Inner(frame.Case):
            def test(inner):
                function(inner)
        result = unittest.TestResult()
        Inner("test").run(result)
        self.assertEqual(len(result.failures), 1, result.errors)
        self.assertIn(words, result.failures[0][1])

    def test_notices_bad_words(self):
        self.expect_failure(lambda inner: inner.keep(frame.Process(
            ["/bin/sh", "-c", "echo '(x:1): Gw-CRITICAL **: no' >&2"])).wait(), "CRITICAL")

    def test_notices_processes_left(self):
        self.expect_failure(lambda inner: inner.keep(frame.Process(
            ["/bin/sh", "-c", "sleep 300 >/dev/null 2>&1 & exit 0"])).wait(), "processes left")

    def test_home_is_private_and_removed(self):
        home = frame.Home()
        home.file("a/b.txt", "has canary in it")
        self.assertEqual(len(home.find_text("canary")), 1)
        self.assertEqual(home.find_text("nothing"), [])
        home.remove()
        self.assertFalse(os.path.exists(home.path))

    def test_ended_mock_leaves_no_port(self):
        mock = self.mock()
        mock.signal(signal.SIGTERM)
        self.assertEqual(mock.wait(), 0)
        self.assertFalse(frame.is_listening("127.0.0.1", mock.port))


if __name__ == "__main__":
    frame.main()
