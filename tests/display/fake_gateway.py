#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway of canned tasks: serves /health, the change feed and single tasks of the contract from
a list that stands in memory, so that pictures and tests show states that a real run passes too
fast."""

import json
import socket
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


def iso(seconds):
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (moment.microsecond // 1000)


def found_in(task, text):
    """Where the text of a search stands, as the gateway tells it."""
    for member in ("content", "result"):
        whole = task.get(member) or ""
        at = whole.lower().find(text.lower()) if text else -1
        if at >= 0:
            start = max(at - 20, 0)
            line = ("…" if start else "") + " ".join(whole[start:start + 200].split())
            return {"found": {"in": member, "text": line}}
    return {}


class FakeGateway(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.uri = "http://127.0.0.1:%d" % self.server_address[1]
        self.store = str(uuid.uuid4())
        self.version = "0.1.0"
        self.status = "ok"
        self.providers = []
        self.revision = 0
        self.tasks = {}
        self.projects = {}
        self.removed = {}
        self.searches = []
        self.changed = threading.Condition()
        self.project_id = str(uuid.uuid4())
        self.calls = []
        self.attempts = []   # see add_attempt()
        self.health = {}     # members that /health has besides
        self.refuses = None  # (status, code, detail) of the answer to everything but /health
        self.moves = True    # False: tasks stay where they are
        self.gives = threading.Event()  # cleared: whole tasks are given when it is set again
        self.gives.set()
        self.thread = None
        self.connections = set()

    def start(self):
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()
        return self

    def stop(self):
        with self.changed:
            self.changed.notify_all()
        self.shutdown()
        self.server_close()
        # Kept connections too: to its clients it is gone.
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass  # whoever asked has gone

    def get_request(self):
        request = super().get_request()
        self.connections.add(request[0])
        return request

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def add_project(self, name, days_ago=0, paused=False, concurrency=None, **counts):
        """Puts a project in that has @counts tasks, whether or not there are any."""
        created = time.time() - 600 - 86400 * days_ago + len(self.projects)
        left = counts.get("queued", 0) + counts.get("running", 0)
        with self.changed:
            self.revision += 1
            project = {
                "project_id": "01900000-0000-7000-9000-%012d" % (len(self.projects) + 1),
                "name": name, "created_at": iso(created),
                "finished_at": None if left else iso(created + 300),
                "concurrency": concurrency, "paused": paused,
                "counts": {status: counts.get(status, 0) for status in
                           ("queued", "running", "completed", "failed", "cancelled")},
                "usage": {}, "revision": self.revision,
            }
            self.projects[project["project_id"]] = project
            self.changed.notify_all()
        return project["project_id"]

    def add(self, content, status="queued", result=None, ago=0.0, took=None, error=None,
            attempts=0, project=None, **metadata):
        """Puts a task in; @ago seconds since it was first sent, @took seconds its call lasted."""
        now = time.time()
        started = now - ago if status != "queued" else None
        with self.changed:
            self.revision += 1
            ended = status not in ("queued", "running")
            task = {
                "task_id": "01900000-0000-7000-8000-%012d"
                           % (len(self.tasks) + len(self.removed) + 1),
                "project_id": project or self.project_id, "status": status, "content": content,
                "result": result, "error": error, "created_at": iso(now - 120),
                "started_at": iso(started) if started else None,
                "finished_at": iso(started + (took or 0)) if started and ended else None,
                "attempts": attempts or (1 if started else 0), "revision": self.revision,
                "metadata": {"model": None, "provider": None, **metadata},
            }
            if took is not None:
                task["metadata"]["duration_ms"] = int(took * 1000)
            self.tasks[task["task_id"]] = task
            self.changed.notify_all()
        return task["task_id"]

    def add_attempt(self, task_id, provider, slot, ago, waited=0.02, took=None, outcome="answered",
                    number=1, error=None):
        """A call that was claimed @ago seconds ago and took @took (None: it runs)."""
        claimed = time.time() - ago
        with self.changed:
            self.attempts.append({
                "task_id": task_id, "number": number, "provider": provider, "model": None,
                "slot": slot, "claimed_at": iso(claimed), "sent_at": iso(claimed + waited),
                "first_byte_at": None,
                "ended_at": iso(claimed + waited + took) if took is not None else None,
                "outcome": outcome if took is not None else "live", "error": error, "raw": None,
                "usage": None, "revision": len(self.attempts) + 1})

    def attempt(self, task_id, outcome="answered", ago=1.0, took=None, **members):
        """Puts one more call of a task in; @ago seconds since it was sent."""
        sent = time.time() - ago
        number = 1 + sum(a["task_id"] == task_id for a in self.attempts)
        self.attempts.append({
            "task_id": task_id, "number": number, "slot": 1, "provider": None,
            "model": None, "claimed_at": iso(sent), "sent_at": iso(sent),
            "first_byte_at": None if took is None else iso(sent + took / 2),
            "ended_at": None if took is None else iso(sent + took), "outcome": outcome,
            "error": None, "raw": None, "usage": None, "revision": self.revision, **members})

    def change(self, task_id, **members):
        with self.changed:
            self.revision += 1
            task = self.tasks[task_id]
            task.update(members)
            task["revision"] = self.revision
            self.changed.notify_all()

    def remove(self, task_ids):
        with self.changed:
            self.revision += 1
            for task_id in task_ids:
                del self.tasks[task_id]
                self.removed[task_id] = self.revision
            self.changed.notify_all()


def entry(task):
    short = dict(task)
    short.pop("result")
    short["result_size"] = len((task["result"] or "").encode())
    short["content_size"] = len(task["content"].encode())
    short["content"] = task["content"][:200]
    return short


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status < 400
                         else "application/problem+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status, code, detail):
        self.answer(status, {"type": "about:blank", "title": code, "status": status,
                             "detail": detail, "code": code})

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length)) if length else {}

    def do_GET(self):
        server = self.server
        path, _, query = self.path.partition("?")
        if path != "/health" and server.refuses is not None:
            self.problem(*server.refuses)
        elif path == "/health":
            self.answer(200, {"service": "gangway", "version": server.version, "host": "daemon",
                              "store": server.store, "queue": "embedded",
                              "status": server.status, "warnings": [], **server.health})
        elif path == "/attempts":
            values = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
            limit = int(values.get("limit", 200))
            since = int(values.get("since", 0))
            before = int(values.get("before", 0))
            with server.changed:
                page = [a for a in server.attempts
                        if (a["revision"] < before if before else a["revision"] > since)]
            more = len(page) > limit
            page = page[-limit:] if before else page[:limit]
            self.answer(200, {"attempts": page, "more": more,
                              "revision": page[-1]["revision"] if page else since})
        elif path == "/providers":
            self.answer(200, {"providers": server.providers})
        elif path == "/tasks":
            values = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
            since = int(values.get("since", 0))
            with server.changed:
                if server.revision <= since and float(values.get("wait", 0)) > 0:
                    server.changed.wait(min(float(values["wait"]), 5))
                tasks = sorted((t for t in server.tasks.values() if t["revision"] > since),
                               key=lambda t: t["revision"])
                text = unquote(values.get("q", "")).lower()
                if text:
                    server.searches.append(text)
                    tasks = [t for t in tasks if text in t["content"].lower()
                             or text in (t["result"] or "").lower()]
                page = tasks[:int(values.get("limit", 500))]
                more = len(page) < len(tasks)
                self.answer(200, {"revision": page[-1]["revision"] if more else server.revision,
                                  "more": more, "store": server.store,
                                  "tasks": [entry(t) for t in page],
                                  "projects": [] if more else
                                  [p for p in server.projects.values()
                                   if p["revision"] > since],
                                  "removed": [] if more else
                                  [i for i, at in server.removed.items() if at > since]})
        elif path.startswith("/tasks/") and path.endswith("/attempts"):
            attempts = [a for a in server.attempts if a["task_id"] == path.split("/")[2]]
            self.answer(200, {"revision": 1, "more": False, "attempts": attempts})
        elif path.startswith("/tasks/"):
            task = server.tasks.get(path[len("/tasks/"):])
            server.gives.wait(60)
            values = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
            if task:
                self.answer(200, {**task, **found_in(task, unquote(values.get("q", "")))})
            else:
                self.problem(404, "not-found", "no such task")
        else:
            self.problem(404, "not-found", "no such resource")

    def do_POST(self):
        server = self.server
        body = self.body()
        server.calls.append(("POST", self.path, body))
        if server.refuses is not None:
            self.problem(*server.refuses)
        elif self.path == "/tasks":
            task_id = server.add(body["content"])
            self.answer(200, {"task_id": task_id, "status": "queued",
                              "project_id": server.project_id})
        elif self.path == "/tasks/batch":
            ids = [server.add(t if isinstance(t, str) else t["content"]) for t in body["tasks"]]
            self.answer(200, {"project_id": server.project_id, "task_ids": ids})
        elif self.path.startswith("/projects/") and self.path.endswith("/retry"):
            failed = [task for task in server.tasks.values() if task["status"] == "failed"
                      and body.get("code", task["error"]["code"]) == task["error"]["code"]]
            for task in failed:
                server.change(task["task_id"], status="queued", error=None)
            self.answer(200, {"changed": len(failed)})
        elif self.path.endswith("/retry"):
            task_id = self.path.split("/")[2]
            server.change(task_id, status="queued", error=None)
            self.answer(200, server.tasks[task_id])
        elif self.path == "/tasks/move":
            self.answer(200, {"changed": len(body["task_ids"]) if server.moves else 0})
        else:
            self.answer(200, {"changed": 1})

    def do_PATCH(self):
        server = self.server
        body = self.body()
        server.calls.append(("PATCH", self.path, body))
        project = server.projects.get(self.path[len("/projects/"):])
        if project is None:
            self.problem(404, "not-found", "no such project")
            return
        with server.changed:
            server.revision += 1
            project.update(body, revision=server.revision)
            server.changed.notify_all()
        self.answer(200, project)

    def do_DELETE(self):
        server = self.server
        server.calls.append(("DELETE", self.path, None))
        task = server.tasks.get(self.path[len("/tasks/"):])
        if task is None:
            self.problem(404, "not-found", "no such task")
        elif task["status"] not in ("queued", "running"):
            self.problem(409, "conflict", "the task has ended")
        else:
            server.change(task["task_id"], status="cancelled")
            self.answer(200, task)


if __name__ == "__main__":
    gateway = FakeGateway(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(gateway.uri, flush=True)
    gateway.serve_forever()
