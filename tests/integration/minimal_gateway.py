# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway as someone else writes it in a morning: two calls, states of its own, no more."""
import http.server
import itertools
import json
import sys
import threading

TASKS = {}
SLOW = threading.Event()
NUMBERS = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        if self.path == "/end":  # for tests: the slow ones end now
            self.answer(200, {"tasks": len(TASKS)})
            return SLOW.set()
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("content")
        if self.path != "/tasks" or not content:
            return self.answer(422, {"detail": "content is missing"})
        number = next(NUMBERS)
        task = TASKS[str(number)] = {"status": "PENDING", "result": None, "metadata": {}}
        if "slow" in content:
            threading.Thread(target=self.end_later, args=(task,), daemon=True).start()
            return self.answer(201, {"id": number})
        threading.Timer(0.3, task.update, [{"status": "failure", "error": "no"} if "bad" in content
            else {"status": "Done", "result": content.upper(), "metadata": {"model": "m"}}]).start()
        self.answer(201, {"id": number})

    @staticmethod
    def end_later(task):
        SLOW.wait()
        task.update(status="Done", result="at last")

    def do_GET(self):
        task = TASKS.get(self.path.removeprefix("/tasks/"))
        self.answer(200 if task else 404, task or {"detail": "no such task"})

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(f"minimal: listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
