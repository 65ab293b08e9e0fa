# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk, and how badly one may talk: the guard, raw bytes, slow clients, many connections."""

import json
import os
import socket
import struct
import subprocess
import threading
import time

import requests

import frame


def raw(daemon, data, patience=5.0, half_close=False):
    """Sends bytes, returns what comes back until the peer closes or @patience is over."""
    seen = bytearray()
    with socket.create_connection((daemon.host.strip("[]"), daemon.port), 5) as sock:
        sock.settimeout(patience)
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                seen += chunk
        except (TimeoutError, ConnectionError):
            pass
    return bytes(seen)


def status(reply):
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.") else 0


class Guard(frame.Case):
    def setUp(self):
        super().setUp()
        self.gateway = self.daemon("--no-workers")

    def ask(self, host=b"localhost", path=b"/health", more=b"", method=b"GET"):
        line = b"" if host is None else b"Host: " + host + b"\r\n"
        return raw(self.gateway, method + b" " + path + b" HTTP/1.1\r\n" + line + more
                   + b"Connection: close\r\n\r\n")

    def test_host(self):
        port = str(self.gateway.port).encode()
        for host in (b"localhost", b"LOCALHOST:99", b"127.0.0.1", b"127.0.0.1:" + port,
                     b"127.8.9.10", b"[::1]", b"[::1]:80", b"a.localhost", b"a.b.localhost:1"):
            with self.subTest(host=host):
                self.assertEqual(status(self.ask(host)), 200)
        for host in (b"evil.com", b"127.evil.com", b"127.0.0.1.evil.com", b"localhost.evil.com",
                     b"evillocalhost", b"10.0.0.1", b"192.168.1.1:" + port, b"[::2]", b"0.0.0.0",
                     b"localhost@evil.com", b"127.0.0.1, evil.com", b"[::1].evil.com"):
            with self.subTest(host=host):
                seen = self.ask(host)
                self.assertIn(status(seen), (400, 403))
                for path in (b"/nothing", b"/tasks", b"/metrics"):
                    self.assertIn(status(self.ask(host, path)), (400, 403))
        self.assertEqual(status(self.ask(b"evil.com")), 403)
        self.assertEqual(status(raw(self.gateway, b"GET /health HTTP/1.0\r\n\r\n")), 200)

    def test_host_of_the_request_line_counts_too(self):
        seen = raw(self.gateway, b"GET http://evil.com/health HTTP/1.1\r\nHost: localhost\r\n"
                   b"Connection: close\r\n\r\n")
        self.assertNotEqual(status(seen), 500)

    def test_origin_and_fetch_site(self):
        for more, code in [(b"Origin: http://localhost:3000", 200),
                           (b"Origin: http://127.0.0.1", 200), (b"Origin: http://[::1]:5", 200),
                           (b"Origin: null", 403), (b"Origin: https://evil.com", 403),
                           (b"Origin: http://localhost.evil.com", 403),
                           (b"Origin: http://evil.com#localhost", 403),
                           (b"Origin: ", 403), (b"Sec-Fetch-Site: cross-site", 403),
                           (b"Sec-Fetch-Site: Cross-Site", 403),
                           (b"Sec-Fetch-Site: same-origin", 200), (b"Sec-Fetch-Site: none", 200)]:
            with self.subTest(more=more):
                if more == b"Origin: ":
                    self.assertIn(status(self.ask(more=more + b"\r\n")), (200, 403))
                    continue
                seen = self.ask(more=more + b"\r\n")
                self.assertEqual(status(seen), code)
                self.assertNotIn(b"access-control-", seen.lower())
        seen = self.ask(method=b"OPTIONS", path=b"/tasks", more=b"Origin: http://evil.com\r\n"
                        b"Access-Control-Request-Method: POST\r\n")
        self.assertEqual(status(seen), 403)

    def test_refusal_is_a_problem_and_stores_nothing(self):
        reply = requests.post(self.gateway.url + "/tasks", json={"content": "x"}, timeout=10,
                              headers={"Host": "evil.com"})
        problem = self.problem(reply, 403)
        self.assertEqual(problem["code"], "forbidden")
        self.assertEqual(self.gateway.ok("GET", "/tasks")["tasks"], [])

    def test_other_users_are_refused(self):
        if os.getuid() != 0:
            self.cannot("only root can ask as another user")
        ask = ("import sys, urllib.request, urllib.error\n"
               "try: print(urllib.request.urlopen(sys.argv[1], timeout=5).status)\n"
               "except urllib.error.HTTPError as e: print(e.code)\n")

        def as_nobody(gateway):
            return subprocess.run([frame.PYTHON, "-c", ask, gateway.url + "/health"], user=65534,
                                  group=65534, capture_output=True, text=True, timeout=20,
                                  env={"PATH": "/usr/bin:/bin"}, cwd="/").stdout.strip()

        self.assertEqual(as_nobody(self.gateway), "403")
        self.gateway.terminate()
        open_to_all = self.daemon("--no-workers", config="[gateway]\nallow-other-users=true\n")
        self.assertEqual(as_nobody(open_to_all), "200")


class Token(frame.Case):
    def test_token_on_loopback(self):
        token = self.home.file("token", "s3cret-token\n")
        gateway = self.daemon("--no-workers", config=f"[gateway]\ntoken-file={token}\n")
        self.assertEqual(gateway.get("/health").status_code, 200)
        for header in (None, "Bearer", "Bearer ", "Bearer wrong", "Basic s3cret-token",
                       "Bearer s3cret-tokenx", "Bearer s3cret-toke"):
            with self.subTest(header=header):
                headers = {"Authorization": header} if header else {}
                self.problem(gateway.get("/tasks", headers=headers), 403)
                self.problem(gateway.get("/nothing", headers=headers), 403)
        right = {"Authorization": "Bearer s3cret-token"}
        self.assertEqual(gateway.get("/tasks", headers=right).status_code, 200)
        self.assertNotIn("s3cret", gateway.stderr + gateway.stdout)

    def test_token_from_the_environment(self):
        gateway = self.daemon("--no-workers", env={"GANGWAY_TOKEN": "from-env"})
        self.assertEqual(gateway.get("/tasks").status_code, 403)
        self.assertEqual(gateway.get("/tasks", headers={
            "Authorization": "Bearer from-env"}).status_code, 200)

    def test_off_loopback_needs_a_token(self):
        refused = self.daemon_unready("--no-workers", "--listen", "0.0.0.0")
        self.assertEqual(refused.wait(), 2)
        self.assertIn("token", refused.stderr)
        self.one_clear_line(refused)
        gateway = self.daemon("--no-workers", "--listen", "0.0.0.0",
                              env={"GANGWAY_TOKEN": "t0ken"})
        gateway.host = "127.0.0.1"
        gateway.url = f"http://127.0.0.1:{gateway.port}"
        headers = {"Authorization": "Bearer t0ken", "Host": "my-server.example"}
        self.assertEqual(gateway.get("/tasks", headers=headers).status_code, 200)
        self.assertEqual(gateway.get("/tasks").status_code, 403)


class Raw(frame.Case):
    def setUp(self):
        super().setUp()
        self.provider = self.mock()
        self.gateway = self.daemon(config=self.lanes(self.provider, one={}))

    def body(self, content):
        body = json.dumps({"content": content}).encode()
        return (b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def test_pipelined_requests_are_answered_in_order(self):
        data = b"".join(self.body(f"p{n}") for n in range(20))
        data += b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        seen = raw(self.gateway, data)
        self.assertEqual(seen.count(b"HTTP/1.1 200"), 20)
        self.assertEqual(seen.count(b"HTTP/1.1 404"), 1)
        tasks = self.gateway.ok("GET", "/projects/default/results")
        self.assertEqual([task["content"] for task in tasks], [f"p{n}" for n in range(20)])

    def test_chunked_and_expected_bodies(self):
        body = b'{"content": "chunked"}'
        seen = raw(self.gateway, b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   b"application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                   b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        self.assertEqual(status(seen), 200)
        with socket.create_connection((self.gateway.host, self.gateway.port), 5) as sock:
            sock.settimeout(5)
            sock.sendall(b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                         b"application/json\r\nExpect: 100-continue\r\nConnection: close\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body))
            self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 100"))
            sock.sendall(body)
            self.assertIn(b"HTTP/1.1 200", sock.recv(65536))

    def test_smuggling_is_no_second_request(self):
        seen = raw(self.gateway, b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   b"application/json\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: evil.com\r\n\r\n", patience=1)
        self.assertNotIn(b'"gangway"', seen)
        seen = raw(self.gateway, b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   b"application/json\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n12345",
                   patience=1)
        self.assertNotIn(b"HTTP/1.1 200", seen)
        self.assertEqual(self.gateway.get("/health").status_code, 200)

    def test_rubbish(self):
        for data in (b"\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n", b"GET\r\n\r\n",
                     b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + b"\x00" * 200,
                     b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 300_000,
                     b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                     b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                     b"\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                     b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with self.subTest(data=data[:40]):
                seen = raw(self.gateway, data, patience=0.5)
                self.assertNotIn(b"HTTP/1.1 200", seen)
                self.assertEqual(self.gateway.get("/health").status_code, 200)
        self.assertEqual(self.gateway.ok("GET", "/tasks")["tasks"], [])

    def test_bodies_over_the_limit_are_refused_early(self):
        """By the announced length, and by what comes without one; memory does not grow by it."""
        def resident():
            with open(f"/proc/{self.gateway.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        seen = raw(self.gateway, b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   b"application/json\r\nContent-Length: 200000000\r\n\r\n" + b" " * 1000)
        self.assertEqual(status(seen), 413)
        before = resident()
        peak = [before]
        with socket.create_connection((self.gateway.host, self.gateway.port), 5) as sock:
            sock.settimeout(5)
            block = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
            try:
                sock.sendall(b"POST /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(100):
                    sock.sendall(block)
                    peak.append(resident())
            except (ConnectionError, TimeoutError):
                pass
        if not frame.is_sanitized():
            self.assertLess(max(peak) - before, 64 << 20)
        self.assertEqual(self.gateway.get("/health").status_code, 200)

    def test_slow_clients_hold_nobody_up(self):
        slow = []
        for number in range(50):
            sock = socket.create_connection((self.gateway.host, self.gateway.port), 5)
            sock.sendall(self.body("slow")[:10 + number])
            slow.append(sock)
        for number in range(20):
            self.assertEqual(self.gateway.wait_task(
                self.gateway.submit(f"quick {number}"))["status"], "completed")
        for sock in slow:
            sock.close()

    def test_long_polls_wait_and_end(self):
        head = self.gateway.ok("GET", "/tasks")["revision"]
        answers = []

        def poll():
            answers.append(requests.get(
                f"{self.gateway.url}/tasks?since={head}&wait=60", timeout=30).json())

        threads = [threading.Thread(target=poll) for _ in range(20)]
        for thread in threads:
            thread.start()
        self.assertEqual(self.gateway.ok("GET", "/health")["service"], "gangway")
        task_id = self.gateway.submit("news")
        for thread in threads:
            thread.join(30)
        self.assertEqual(len(answers), 20)
        for page in answers:
            self.assertEqual([task["task_id"] for task in page["tasks"]], [task_id])
            self.assertGreater(page["revision"], head)
        self.gateway.wait_task(task_id)
        head = self.gateway.ok("GET", "/tasks")["revision"]
        page = self.gateway.ok("GET", f"/tasks?since={head}&wait=1")
        self.assertEqual((page["tasks"], page["revision"]), ([], head))

    def test_stop_answers_who_waits(self):
        head = self.gateway.ok("GET", "/tasks")["revision"]
        codes = []

        def poll():
            try:
                codes.append(requests.get(f"{self.gateway.url}/tasks?since={head}&wait=60",
                                          timeout=30).status_code)
            except requests.ConnectionError as error:
                codes.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        time.sleep(0.2)
        self.assertEqual(self.gateway.terminate(), 0)
        thread.join(10)
        self.assertEqual(len(codes), 1)
        self.assertIn(codes[0], (200, 503))

    def test_idle_wait_costs_no_cpu(self):
        def cpu():
            with open(f"/proc/{self.gateway.pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        head = self.gateway.ok("GET", "/tasks")["revision"]
        before = cpu()
        self.gateway.ok("GET", f"/tasks?since={head}&wait=3")
        self.assertLess(cpu() - before, 0.3)
        self.diagnose(f"cpu of 3 s idle wait: {cpu() - before:.2f} s")


class Connections(frame.Case):
    """Descriptors stay flat over connections that end in every way."""

    def test_descriptors_stay_flat(self):
        gateway = self.daemon("--no-workers")
        address = (gateway.host, gateway.port)
        request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

        def one(kind):
            sock = socket.create_connection(address, 5)
            sock.settimeout(5)
            if kind != "silent":
                sock.sendall(request if kind != "half" else request[:20])
            if kind in ("closed", "idle", "reset"):
                sock.recv(65536)
            if kind in ("reset", "reset early"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return sock

        kinds = ("closed", "reset", "half", "silent", "reset early")

        def round_trip(count):
            for number in range(count):
                one(kinds[number % len(kinds)]).close()
            kept = [one("idle") for _ in range(50)]
            for sock in kept:
                sock.close()

        def settled():
            """The count of descriptors once it no longer falls."""
            last = gateway.descriptors()
            for _ in range(100):
                time.sleep(0.05)
                now = gateway.descriptors()
                if now >= last and now < 40:
                    return now
                last = now
            return last

        round_trip(200)
        before = settled()
        round_trip(2000)
        frame.wait_for(lambda: gateway.descriptors() <= before + 3,
                       f"descriptors to fall to {before}, they are {gateway.descriptors()}", 10)
        self.assertEqual(gateway.get("/health").status_code, 200)


if __name__ == "__main__":
    frame.main()
