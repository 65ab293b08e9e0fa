#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strict mock provider: many OpenAI-compatible providers behind one port.

  GET  /NAME/v1/models             the models of provider NAME
  POST /NAME/v1/chat/completions   one call; a provider comes to be at its first use
  POST /control                    {"total": n, "seed": n, "refuse_for": seconds,
                                    "providers": {NAME: settings}}
  GET  /stats[?contents=1&breaches=1]   counters
  GET  /calls[?provider=NAME]      every call: when, what, how it ended
  POST /reset                      forgets counters and calls; {"all": true}: settings too

Settings of a provider (see DEFAULTS): "concurrency" and "rpm" in "window" seconds are enforced: a
call over them gets a 429 in the manner of "form" and is counted as a breach. A call arrives when its
last byte was read; that moment, on the monotonic clock, is the one that counts. "latency" is a
number, or {"median", "sigma", "seed"} (log-normal, the same for the same task and turn). With
"ghosts" a call stays in flight until its latency is over even when its client has gone, without it
ends there. "keys": a list of those accepted. A request to "stream" is answered by events over the
whole latency, cut anywhere, unless "streams" is false.

A behaviour, {"do": NAME, ...} of mock_faults.py or null for the plain answer, is chosen by, first
that is there: a mark in the task, `[[mock BEHAVIOUR]]` or `[[mock [first, second, ...]]]` by turn;
"contents" {part of a task: behaviour or list by turn}; "first", a list for the next calls; "every"
[n, behaviour]; "always".

Ready when it prints `mock: listening on http://ADDRESS:PORT`; ends at SIGTERM or SIGINT.
"""

import argparse
import asyncio
import collections
import hashlib
import json
import random
import re
import signal
import ssl
import sys

import mock_faults
import mock_http

DEFAULTS = {
    "concurrency": 0,       # 0: no limit
    "rpm": 0,               # 0: no limit
    "window": 60.0,
    "count_refused": False,  # whether a refused call counts in the window too
    "latency": 0.0,
    "ghosts": True,
    "form": "openai",       # openai, nvidia, zhipu, tencent: how a refusal reads
    "retry_after": None,    # with a refusal for a breach
    "keys": None,           # None: any or none
    "models": ["mock-model"],
    "strict_models": False,  # a model that is not offered: 404
    "streams": True,        # False: a request to stream is answered whole
    "contents": {},
    "first": [],
    "every": None,
    "always": None,
}
MARK = re.compile(r"\[\[mock (.*?)\]\](?!\])", re.DOTALL)
PATH = re.compile(r"^/([A-Za-z0-9_.-]+)/v1/(models|chat/completions)$")
NOT_BOUGHT = {"status", "html", "rate", "concurrency", "balance", "daily", "capped-until",
              "try-again-in", "overloaded", "payment", "unauthorized", "forbidden", "no-model",
              "too-long", "refused", "redirect", "reset", "error-object", "hang"}


class Provider:
    """One provider's settings, limits and counters."""

    def __init__(self, name, mock):
        self.name = name
        self.mock = mock
        self.settings = dict(DEFAULTS)
        self.first = collections.deque()
        self.in_flight = 0
        self.window = collections.deque()
        self.clear()

    def clear(self):
        self.calls = 0
        self.accepted = 0
        self.answered = 0
        self.client_gone = 0
        self.max_in_flight = self.in_flight
        self.breaches = collections.Counter()
        self.breach_log = []
        self.refused_keys = 0
        self.statuses = collections.Counter()
        self.contents = collections.Counter()
        self.bought = collections.Counter()
        self.turns = collections.Counter()
        self.keys = collections.Counter()
        self.models = collections.Counter()
        self.model_lists = 0

    def set(self, settings):
        unknown = set(settings) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"provider {self.name}: no setting {', '.join(sorted(unknown))}")
        self.settings.update(settings)
        if "first" in settings:
            self.first = collections.deque(settings["first"])

    def breach(self, now):
        """What limit one more call at @now breaks, or None."""
        rpm = self.settings["rpm"]
        while self.window and self.window[0] <= now - self.settings["window"]:
            self.window.popleft()
        if self.settings["concurrency"] and self.in_flight >= self.settings["concurrency"]:
            return "concurrency"
        if rpm and len(self.window) >= rpm:
            return "window"
        if self.mock.total and self.mock.in_flight >= self.mock.total:
            return "total"
        return None

    def behaviour(self, content, turn):
        def by_turn(choice):
            if isinstance(choice, list):
                return choice[turn - 1] if turn <= len(choice) else None
            return choice

        mark = MARK.search(content)
        if mark:
            return by_turn(json.loads(mark.group(1)))
        for part, choice in self.settings["contents"].items():
            if part in content:
                return by_turn(choice)
        if self.first:
            return self.first.popleft()
        every = self.settings["every"]
        if every and self.calls % every[0] == 0:
            return every[1]
        return self.settings["always"]

    def stats(self, with_contents, with_breaches):
        stats = {
            "calls": self.calls, "accepted": self.accepted, "answered": self.answered,
            "client_gone": self.client_gone, "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight, "in_window": len(self.window),
            "breaches": sum(self.breaches.values()), "breaches_by_kind": dict(self.breaches),
            "refused_keys": self.refused_keys, "statuses": dict(self.statuses),
            "keys": dict(self.keys), "models": dict(self.models),
            "model_lists": self.model_lists,
            "distinct": len(self.contents), "bought": sum(self.bought.values()),
        }
        if with_contents:
            stats["contents"] = dict(self.contents)
            stats["bought_contents"] = dict(self.bought)
        if with_breaches:
            stats["breach_log"] = self.breach_log
        return stats


class Call:
    """One accepted call: in flight until it is answered, or until its latency is over."""

    def __init__(self, provider, exchange, content, model, seconds, record, request):
        self.provider = provider
        self.exchange = exchange
        self.content = content
        self.model = model
        self.seconds = seconds
        self.record = record
        self.stream = request.get("stream", False)
        self.include_usage = request.get("stream_options", {}).get("include_usage", False)
        self.loop = provider.mock.loop
        self.until = exchange.arrived + seconds
        self.task = None
        self.timer = None
        self.released = False
        provider.accepted += 1
        provider.in_flight += 1
        provider.mock.in_flight += 1
        provider.max_in_flight = max(provider.max_in_flight, provider.in_flight)
        provider.mock.max_in_flight = max(provider.mock.max_in_flight, provider.mock.in_flight)
        exchange.on_gone = self.client_left

    def answer(self, what):
        content = what.get("content", f"answer to: {self.content}")
        prompt, completion = len(self.content.split()), len(content.split())
        message = {"role": "assistant", "content": content}
        if "reasoning" in what:
            message["reasoning_content"] = what["reasoning"]
        return {
            "id": f"chatcmpl-{self.record['number']}", "object": "chat.completion",
            "created": 1700000000, "model": what.get("model", self.model),
            "choices": [{"index": 0, "message": message,
                         "finish_reason": what.get("finish_reason", "stop")}],
            "usage": what.get("usage", {"prompt_tokens": prompt, "completion_tokens": completion,
                                        "total_tokens": prompt + completion}),
        }

    def send_answer(self, what):
        if not self.exchange.done:
            self.provider.answered += 1
            self.end("answered")
            self.release()
        self.exchange.send_json(200, self.answer(what), what.get("headers"))

    async def latency(self):
        await self.wait(self.until - self.loop.time())

    async def wait(self, seconds):
        if seconds > 0:
            await asyncio.sleep(seconds)

    def run(self, what):
        """The plain answer by a timer, everything else by a task of its own."""
        if what is None:
            self.timer = self.loop.call_at(self.until, self.plain_answer)
        else:
            self.task = self.loop.create_task(self.misbehave(what))

    def plain_answer(self):
        self.timer = None
        if self.exchange.done:
            self.release()
        else:
            self.send_answer({})

    async def misbehave(self, what):
        try:
            await mock_faults.FAULTS[what["do"]](self, what)
        except asyncio.CancelledError:
            return
        except Exception as error:  # a wrong plan must not look like a provider's fault
            print(f"mock: {what}: {error!r}", file=sys.stderr, flush=True)
            self.exchange.reset()
        self.end(what["do"])
        self.release()

    def client_left(self):
        self.provider.client_gone += 1
        self.record["gone"] = round(self.loop.time(), 6)
        self.end("client gone")
        if self.task is not None:
            self.task.cancel()
        if self.timer is not None:
            self.timer.cancel()
        if self.provider.settings["ghosts"]:
            self.loop.call_at(self.until, self.release)
        else:
            self.release()

    def end(self, how):
        if "how" not in self.record:
            self.record["how"] = how
            self.record["ended"] = round(self.loop.time(), 6)

    def release(self):
        if not self.released:
            self.released = True
            self.record["free"] = round(self.loop.time(), 6)
            self.provider.in_flight -= 1
            self.provider.mock.in_flight -= 1


class Mock:
    """All providers, the control calls and the dispatch between them."""

    def __init__(self, loop):
        self.loop = loop
        self.providers = {}
        self.total = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.seed = 0
        self.records = collections.deque(maxlen=200_000)
        self.count = 0
        self.elsewhere = collections.Counter()
        self.server = None

    def provider(self, name):
        if name not in self.providers:
            self.providers[name] = Provider(name, self)
        return self.providers[name]

    def handle(self, exchange):
        match = PATH.match(exchange.path)
        try:
            if match:
                self.handle_provider(exchange, self.provider(match.group(1)), match.group(2))
            elif exchange.path == "/stats":
                exchange.send_json(200, self.stats(exchange.query))
            elif exchange.path == "/calls":
                name = exchange.query.get("provider")
                exchange.send_json(200, [record for record in self.records
                                         if name in (None, record["provider"])])
            elif exchange.path == "/control":
                self.control(json.loads(exchange.body))
                exchange.send_json(200, {})
            elif exchange.path == "/reset":
                self.reset(json.loads(exchange.body or b"{}"))
                exchange.send_json(200, {})
            else:
                self.handle_elsewhere(exchange)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            exchange.send_json(400, {"error": {"message": f"mock: {error!r}"}})

    def handle_elsewhere(self, exchange):
        """Where no call may go: counts who comes and whether they bring a key."""
        self.elsewhere["calls"] += 1
        if "authorization" in exchange.headers:
            self.elsewhere["with_key"] += 1
        exchange.send_json(404, {"error": {"message": f"no path {exchange.path}"}})

    def control(self, order):
        unknown = set(order) - {"total", "seed", "refuse_for", "providers"}
        if unknown:
            raise ValueError(f"no order {', '.join(sorted(unknown))}")
        self.total = order.get("total", self.total)
        self.seed = order.get("seed", self.seed)
        for name, settings in order.get("providers", {}).items():
            self.provider(name).set(settings)
        if order.get("refuse_for"):
            self.loop.create_task(self.refuse(order["refuse_for"]))

    async def refuse(self, seconds):
        await asyncio.sleep(0.01)   # the reply to the order itself goes out first
        await self.server.go_deaf(seconds)

    def reset(self, order):
        self.records.clear()
        self.elsewhere.clear()
        self.max_in_flight = self.in_flight
        for provider in self.providers.values():
            provider.clear()
            if order.get("all"):
                provider.settings = dict(DEFAULTS)
                provider.first.clear()
                provider.window.clear()
        if order.get("all"):
            self.total = 0

    def stats(self, query):
        with_contents = query.get("contents") == "1"
        with_breaches = query.get("breaches") == "1"
        providers = {name: provider.stats(with_contents, with_breaches)
                     for name, provider in self.providers.items()}
        return {
            "now": self.loop.time(), "providers": providers, "total": self.total,
            "in_flight": self.in_flight, "max_in_flight": self.max_in_flight,
            "calls": sum(p.calls for p in self.providers.values()),
            "answered": sum(p.answered for p in self.providers.values()),
            "breaches": sum(sum(p.breaches.values()) for p in self.providers.values()),
            "elsewhere": dict(self.elsewhere), "connections": len(self.server.connections),
            "accepted_connections": self.server.accepted,
        }

    def handle_provider(self, exchange, provider, what):
        token = exchange.headers.get("authorization", "")
        key = token[7:] if token.startswith("Bearer ") else ""
        name = hashlib.sha256(key.encode()).hexdigest()[:16] if key else "none"
        provider.keys[name] += 1
        keys = provider.settings["keys"]
        form = provider.settings["form"]
        if keys is not None and key not in keys:
            provider.refused_keys += 1
            provider.statuses[401] += 1
            exchange.send(401, mock_faults.body_of(form, "key"))
        elif what == "models":
            provider.model_lists += 1
            exchange.send_json(200, {"object": "list", "data": [
                {"id": model, "object": "model"} for model in provider.settings["models"]]})
        elif exchange.method != "POST":
            exchange.send_json(405, {"error": {"message": "POST only"}})
        else:
            self.complete(exchange, provider)

    def complete(self, exchange, provider):
        request = json.loads(exchange.body)
        content = [message["content"] for message in request["messages"]
                   if message["role"] == "user"][-1]
        model = request["model"]
        stream = request.get("stream", False)
        if not isinstance(stream, bool) or ("stream_options" in request and not stream):
            raise ValueError("stream_options without stream")
        now = exchange.arrived
        provider.calls += 1
        provider.models[model] += 1
        provider.contents[content] += 1
        provider.turns[content] += 1
        turn = provider.turns[content]
        record = {"number": self.count, "stream": stream, "provider": provider.name, "content": content,
                  "model": model, "turn": turn, "arrived": round(now, 6),
                  "from": exchange.connection.peer}
        self.count += 1
        self.records.append(record)

        kind = provider.breach(now)
        if kind is not None:
            provider.breaches[kind] += 1
            provider.breach_log.append({
                "kind": kind, "at": now, "content": content[:80],
                "in_flight": provider.in_flight, "in_window": len(provider.window),
                "oldest": provider.window[0] if provider.window else None})
            if provider.settings["count_refused"]:
                provider.window.append(now)
            record["how"] = f"breach: {kind}"
            self.refuse_call(exchange, provider, 429,
                             "concurrency" if kind == "concurrency" else "rate")
            return
        if provider.settings["rpm"]:
            provider.window.append(now)
        if provider.settings["strict_models"] and model not in provider.settings["models"]:
            record["how"] = "no model"
            self.refuse_call(exchange, provider, 404, "model", model)
            return

        what = provider.behaviour(content, turn)
        if what is None and request.get("stream") and provider.settings["streams"]:
            what = {"do": "stream"}
        if what is not None and what["do"] not in mock_faults.FAULTS:
            raise ValueError(f"no behaviour {what['do']}")
        if what is None or what["do"] not in NOT_BOUGHT:
            provider.bought[content] += 1
        seconds = self.seconds(provider, content, turn)
        if what is not None:
            record["plan"] = what["do"]
            seconds = what.get("latency", seconds)
        record["latency"] = seconds
        Call(provider, exchange, content, model, seconds, record, request).run(what)

    def refuse_call(self, exchange, provider, status, meaning, model=""):
        headers = {}
        if status == 429 and provider.settings["retry_after"] is not None:
            headers["Retry-After"] = mock_faults.retry_after(provider.settings["retry_after"])
        provider.statuses[status] += 1
        exchange.send(status, mock_faults.body_of(provider.settings["form"], meaning, model),
                      headers)

    def seconds(self, provider, content, turn):
        latency = provider.settings["latency"]
        if not isinstance(latency, dict):
            return float(latency)
        source = random.Random(f"{self.seed}/{latency.get('seed', 0)}/{content}/{turn}")
        return latency["median"] * source.lognormvariate(0.0, latency.get("sigma", 0.3))


async def serve(arguments):
    loop = asyncio.get_running_loop()
    mock = Mock(loop)
    tls = None
    if arguments.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*arguments.tls)
    mock.server = mock_http.Server(mock.handle, arguments.listen, arguments.port, tls)
    if arguments.control:
        with open(arguments.control, encoding="utf-8") as file:
            mock.control(json.load(file))
    await mock.server.start()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    scheme = "https" if tls else "http"
    print(f"mock: listening on {scheme}://{arguments.listen}:{mock.server.port}", flush=True)
    await end.wait()


def main():
    parser = argparse.ArgumentParser(description="A strict mock of AI providers, for tests.")
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--control", help="a JSON file, as for POST /control")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="speak HTTPS")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
