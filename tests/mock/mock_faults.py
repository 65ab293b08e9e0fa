# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which the mock provider misbehaves on demand.

A behaviour is an object {"do": NAME, ...}; NAME is a key of FAULTS, the rest are its parameters. A
behaviour gets the call and writes to its exchange what it wants; the call stays in flight meanwhile.
The numbers in the comments are the fault cases that a behaviour plays.
"""

import asyncio
import email.utils
import functools
import json
import random
import time
import zlib

HTML_502 = ("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
            "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n")
PORTAL = "<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>"

# What the providers say, as far as their documents tell; by form, then by meaning.
BODIES = {
    "openai": {
        "rate": {"error": {"message": "Rate limit reached for requests.", "type": "requests",
                           "param": None, "code": "rate_limit_exceeded"}},
        "concurrency": {"error": {"message": "Too many concurrent requests.", "type": "requests",
                                  "param": None, "code": "rate_limit_exceeded"}},
        "balance": {"error": {"message": "You exceeded your current quota, please check your plan "
                              "and billing details.", "type": "insufficient_quota", "param": None,
                              "code": "insufficient_quota"}},
        "key": {"error": {"message": "Incorrect API key provided.", "type":
                          "invalid_request_error", "param": None, "code": "invalid_api_key"}},
        "model": {"error": {"message": "The model `{model}` does not exist or you do not have "
                            "access to it.", "type": "invalid_request_error", "param": None,
                            "code": "model_not_found"}},
        "long": {"error": {"message": "This model's maximum context length is 8192 tokens.",
                           "type": "invalid_request_error", "param": "messages",
                           "code": "context_length_exceeded"}},
    },
    "nvidia": {
        "rate": {"status": 429, "title": "Too Many Requests"},
        "concurrency": {"status": 429, "title": "Too Many Requests"},
        "balance": {"status": 402, "title": "Payment Required",
                    "detail": "Cloud credits expired - Please contact NVIDIA representatives"},
        "key": {"status": 403, "title": "Forbidden", "detail": "Authorization failed"},
        "model": {"status": 404, "title": "Not Found",
                  "detail": "Function id 'x': Not found for account 'y'"},
    },
    "zhipu": {
        "rate": {"error": {"code": "1302", "message": "您的账户已达到速率限制，请您控制请求频率"}},
        "concurrency": {"error": {"code": "1302", "message": "您当前使用该API的并发数过高"}},
        "balance": {"error": {"code": "1113", "message": "您的账户已欠费，请充值后重试"}},
        "daily": {"error": {"code": "1304", "message": "该API已达到今日调用次数限额"}},
        "overloaded": {"error": {"code": "1305", "message": "该模型当前访问量过大，请您稍后再试"}},
        "key": {"error": {"code": "1002", "message": "Authorization Token非法"}},
        "model": {"error": {"code": "1211", "message": "模型不存在，请检查模型代码"}},
        "refused": {"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}},
        "long": {"error": {"code": "1261", "message": "Prompt 超长"}},
    },
    "tencent": {
        "rate": {"error": {"type": "rate_limit", "code": 429001,
                           "message": "rate limit exceeded on dimension: rpm"}},
        "concurrency": {"error": {"type": "rate_limit", "code": 429001,
                                  "message": "rate limit exceeded on dimension: concurrency"}},
        "balance": {"error": {"type": "billing", "code": 401007, "message": "account in arrears"}},
        "key": {"error": {"type": "auth", "code": 401002, "message": "invalid api key"}},
        "refused": {"error": {"type": "content_filter", "code": 451001,
                              "message": "content filtered"}},
    },
}


def body_of(form, meaning, model=""):
    form = BODIES.get(form, BODIES["openai"])
    body = form.get(meaning) or BODIES["openai"].get(meaning) or BODIES["zhipu"][meaning]
    return json.dumps(body, ensure_ascii=False).replace("{model}", model)


def retry_after(value):
    """The header's value: a number, text as it is, "date+N" and "date-N" as an HTTP date."""
    if isinstance(value, str) and value.startswith("date"):
        return email.utils.formatdate(time.time() + float(value[4:] or 0), usegmt=True)
    return str(value)


async def ok(call, what):
    """The answer, with members changed: model, content, usage, finish_reason, reasoning, headers."""
    await call.latency()
    call.send_answer(what)


async def status(call, what):
    """Any status, headers and body (31 to 34)."""
    await call.wait(what.get("after", 0))
    headers = {name: retry_after(value) if name.lower() == "retry-after" else str(value)
               for name, value in what.get("headers", {}).items()}
    if "retry_after" in what:
        headers["Retry-After"] = retry_after(what["retry_after"])
    body = what.get("body", "")
    if isinstance(body, (dict, list)):
        body = json.dumps(body, ensure_ascii=False)
    call.exchange.send(what.get("status", 500), body, headers,
                       what.get("type", "application/json"))


def refusal(code, meaning):
    async def behave(call, what):
        form = what.get("form", call.provider.settings["form"])
        body = what.get("body") or body_of(form, what.get("meaning", meaning), call.model)
        await status(call, {"status": code, "body": body, **{
            key: value for key, value in what.items() if key not in ("do", "body")}})
    return behave


def reset_at(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + seconds))


async def capped_until(call, what):
    """A 429 whose text says when the cap ends (32)."""
    text = f"已达到使用上限，您的限额将在 {reset_at(what.get('seconds', 3600))} 重置"
    await status(call, {"status": 429, "body": {"error": {"code": "1308", "message": text}}})


async def try_again_in(call, what):
    """A 429 that says how long in words (31)."""
    text = f"Rate limit reached. Please try again in {what.get('text', '2s')}."
    await status(call, {"status": 429, "body": {"error": {
        "message": text, "type": "requests", "code": "rate_limit_exceeded"}}})


async def html(call, what):
    """A proxy's page where JSON is expected (34, 41)."""
    page = PORTAL if what.get("portal") else HTML_502
    await status(call, {"status": what.get("status", 502), "body": page, "type": "text/html"})


async def answer_json(call, what):
    """A 200 whose JSON is what["json"], raw text what["raw"] or raw bytes what["hex"] (35, 36)."""
    await call.latency()
    if "json" in what:
        call.exchange.send_json(200, what["json"])
    elif "hex" in what:
        call.exchange.send(200, bytes.fromhex(what["hex"]))
    else:
        call.exchange.send(200, what.get("raw", ""))


def altered(change):
    """A 200 made of the right answer by change(answer, what), a function (35, 43)."""
    async def behave(call, what):
        await call.latency()
        call.exchange.send_json(200, change(call.answer(what), what))
    return behave


def no_choices(answer, _what):
    answer["choices"] = []
    return answer


def null_content(answer, what):
    message = answer["choices"][0]["message"]
    message["content"] = None
    if "reasoning" in what:
        message["reasoning_content"] = what["reasoning"]
    return answer


def empty_content(answer, _what):
    answer["choices"][0]["message"]["content"] = ""
    return answer


def error_content(answer, what):
    answer["choices"][0]["message"]["content"] = what.get(
        "text", "Error: upstream request failed, please try again later")
    return answer


def error_object(_answer, what):
    return {"error": what.get("error", {"message": "upstream error", "code": "upstream_error"})}


def no_usage(answer, _what):
    del answer["usage"]
    return answer


def spliced(before, after):
    """A 200 whose answer's text gets raw bytes in its middle (36)."""
    async def behave(call, what):
        await call.latency()
        body = json.dumps(call.answer(what), ensure_ascii=False).encode()
        mark = b'"content": "'
        at = body.index(mark) + len(mark)
        call.exchange.send(200, body[:at] + before + body[at:] + after)
    return behave


async def deep(call, what):
    """Brackets nested 10^5 deep (36)."""
    await call.latency()
    depth = what.get("depth", 100_000)
    call.exchange.send(200, "[" * depth + "]" * depth)


async def big_number(call, what):
    """Numbers that no double holds (36)."""
    await call.latency()
    text = json.dumps(call.answer(what), ensure_ascii=False)
    call.exchange.send(200, text.replace('"total_tokens": ', '"total_tokens": 1e999, "x": '))


async def duplicate_keys(call, what):
    """The same member twice; the last counts (36)."""
    await call.latency()
    text = json.dumps(call.answer(what), ensure_ascii=False)
    call.exchange.send(200, text.replace('"choices": ', '"choices": [], "choices": ', 1))


async def truncated(call, what):
    """A body that ends early: too short for its Content-Length, or cut JSON of right length (36)."""
    await call.latency()
    body = json.dumps(call.answer(what), ensure_ascii=False).encode()
    half = body[:len(body) // 2]
    if what.get("honest_length"):
        call.exchange.send(200, half)
    else:
        call.exchange.write(call.exchange.head(
            200, {"Content-Type": "application/json"}, len(body)) + half)
        call.exchange.finish(close=True)


async def bad_chunks(call, _what):
    """A chunk size that is no number (36)."""
    await call.latency()
    call.exchange.write(call.exchange.head(200, {
        "Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        + b'5\r\n{"cho\r\nzz\r\nices\r\n')
    call.exchange.finish(close=True)


def pack_blanks(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * 1_048_576
    packed = [packer.compress(block) for _ in range(size // len(block))]
    return b"".join(packed) + packer.flush()


async def gzip_bomb(call, what):
    """A small gzip body that unpacks to what["bytes"] (36)."""
    await call.latency()
    # Off the loop: other calls' latencies must not suffer from the packing.
    packed = await asyncio.get_running_loop().run_in_executor(
        None, pack_blanks, what.get("bytes", 1 << 30))
    call.exchange.send(200, packed, {"Content-Encoding": "gzip"})


async def huge_body(call, what):
    """A body of what["bytes"] (36: 1 GB), written as fast as the client takes it."""
    await call.latency()
    size = what.get("bytes", 1 << 30)
    exchange = call.exchange
    exchange.write(exchange.head(200, {"Content-Type": "application/json"}, size))
    block = b" " * 262_144
    while size > 0 and not exchange.gone:
        exchange.write(block[:size])
        size -= len(block)
        await exchange.drain()
    exchange.finish(close=True)


async def huge_header(call, what):
    """One header of what["bytes"] (36: 10 MB)."""
    await call.latency()
    call.exchange.send_json(200, call.answer(what), {"X-Long": "a" * what.get("bytes", 10 << 20)})


async def hang(call, what):
    """Nothing, before or after the headers, until the client leaves or what["seconds"] (37)."""
    if what.get("after_headers"):
        call.exchange.write(call.exchange.head(200, {"Content-Type": "application/json"}, 1000))
    await call.wait(what.get("seconds", 3600))
    call.exchange.finish(close=True)


async def drip(call, what):
    """The right answer, one byte each what["every"] seconds (37)."""
    body = json.dumps(call.answer(what), ensure_ascii=False).encode()
    call.exchange.write(call.exchange.head(200, {"Content-Type": "application/json"}, len(body)))
    for byte in body:
        call.exchange.write(bytes((byte,)))
        await call.wait(what.get("every", 1.0))
    call.exchange.finish()


async def blanks(call, what):
    """Blank lines as a sign of life, then the answer (37; DeepSeek does so)."""
    exchange = call.exchange
    body = json.dumps(call.answer(what), ensure_ascii=False).encode()
    exchange.write(exchange.head(200, {"Content-Type": "application/json",
                                       "Transfer-Encoding": "chunked"}))
    for _ in range(what.get("count", 5)):
        exchange.write(b"1\r\n\n\r\n")
        await call.wait(what.get("every", 0.1))
    exchange.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    exchange.finish()


def stream_events(call, what):
    """The data of each event of a streamed answer, and of the last ones, which end it."""
    answer = call.answer(what)
    text = answer["choices"][0]["message"]["content"]
    piece = what.get("piece", 5)
    base = {"id": answer["id"], "object": "chat.completion.chunk", "model": answer["model"]}

    def event(delta, reason=None, **more):
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}

    events = [event({"role": "assistant", "content": ""})]
    if "reasoning" in what:
        events.append(event({"reasoning_content": what["reasoning"]}))
    usage = what.get("usage_in", "end")
    for start in range(0, len(text), piece):
        more = {"usage": answer["usage"]} if usage == "every" else {}
        events.append(event({"content": text[start:start + piece]}, **more))
    last = []
    if "error" in what:
        last.append({"error": what["error"]})
    elif not what.get("no_finish"):
        last.append(event({}, answer["choices"][0]["finish_reason"],
                          **({"usage": answer["usage"]} if usage == "last" else {})))
    if usage == "end" and call.include_usage and not what.get("no_finish"):
        last.append({**base, "choices": [], "usage": answer["usage"]})
    dump = functools.partial(json.dumps, ensure_ascii=what.get("ascii", False))
    events, last = [dump(e) for e in events], [dump(e) for e in last]
    if not what.get("no_done"):
        last.append("[DONE]")
    return events, last


def stream_bytes(data, what):
    """One event as it stands on the wire: its line ends, junk before it, cut over lines."""
    end = what.get("line_end", "\n")
    before = (f": keep-alive{end}{end}event: ping{end}id: 7{end}{end}what is this{end}"
              if what.get("junk") else "")
    if what.get("multi_line") and data != "[DONE]":
        data = json.dumps(json.loads(data), ensure_ascii=False, indent=1)
    lines = "".join(f"data: {line}{end}" for line in data.split("\n"))
    return (before + lines + end).encode()


async def stream(call, what):
    """Server-sent events (38), written over the latency in pieces that are cut anywhere.

    junk, no_done, no_finish, no_end (nothing comes after the last event, and it stays open), error
    (an object, instead of the end), usage_in (end, last, every, none), line_end, multi_line, piece
    (characters an event), blanks (seconds of nothing but comments before it), stop_after (events,
    after which nothing comes any more), reset_after (events). Unasked for it comes at once."""
    exchange = call.exchange
    asked = call.stream
    events, last = stream_events(call, what)
    source = random.Random(f"{call.record['number']}/{call.content}")
    exchange.write(exchange.head(200, {"Content-Type": "text/event-stream",
                                       **({"Transfer-Encoding": "chunked"} if asked else
                                          {"Connection": "close"})}))

    def write(data):
        while asked and data:
            n = source.randint(1, len(data)) if source.random() < 0.5 else len(data)
            exchange.write(b"%x\r\n%s\r\n" % (n, data[:n]))
            data = data[n:]
        if data:
            exchange.write(data)

    for _ in range(int(what.get("blanks", 0) / 0.1)):
        write(b": keep-alive\n\n")
        await call.wait(0.1)
    if not asked:
        await call.latency()
    carry = b""
    for number, data in enumerate(events):
        if number == what.get("stop_after", -1):
            await call.wait(what.get("seconds", 3600))
        if number == what.get("reset_after", -1):
            await call.wait(0.05)   # what was written goes out first
            exchange.reset()
            return
        carry += stream_bytes(data, what)
        # The border of an event is no border of what is written.
        keep = source.randint(0, min(7, len(carry) - 1)) if asked else 0
        write(carry[:len(carry) - keep])
        carry = carry[len(carry) - keep:]
        if asked:
            left = len(events) - number
            await call.wait((call.until - call.loop.time()) / left)
    if exchange.done:
        return
    if not what.get("no_finish"):
        call.provider.answered += 1
    call.end("answered")
    call.release()
    write(carry + b"".join(stream_bytes(data, what) for data in last))
    if what.get("no_end"):
        await call.wait(what.get("seconds", 3600))
    if asked:
        exchange.write(b"0\r\n\r\n")
    exchange.finish(close=not asked)


async def reset(call, what):
    """RST: at once, after a while, or after half of the answer (39)."""
    await call.wait(what.get("after", 0))
    if what.get("half"):
        body = json.dumps(call.answer(what)).encode()
        call.exchange.write(call.exchange.head(200, {"Content-Type": "application/json"},
                                               len(body)) + body[:len(body) // 2])
        await call.wait(0.05)
    call.exchange.reset()


async def reset_next(call, what):
    """Answers, and resets the connection when the next request comes on it (39)."""
    await call.latency()
    call.exchange.connection.reset_after = call.exchange.connection.requests + 1
    call.send_answer(what)


async def close_idle(call, what):
    """Answers and closes what["after"] seconds later though it promised keep-alive (39)."""
    await call.latency()
    connection = call.exchange.connection
    connection.deaf = True
    call.send_answer(what)
    asyncio.get_running_loop().call_later(
        what.get("after", 0.0), lambda: connection.transport and connection.transport.close())


async def redirect(call, what):
    """A redirect to what["to"], else to /elsewhere under another name of this host (40)."""
    port = call.exchange.connection.server.port
    to = what.get("to", f"http://localhost:{port}/elsewhere{call.exchange.path}")
    await status(call, {"status": what.get("status", 307), "headers": {"Location": to},
                        "body": ""})


async def wrong_model(call, what):
    """The answer of another model than the one asked (43)."""
    await call.latency()
    call.send_answer({"model": "some-other-model", **what})


FAULTS = {
    "ok": ok, "status": status, "html": html, "json": answer_json,
    "rate": refusal(429, "rate"), "concurrency": refusal(429, "concurrency"),
    "balance": refusal(429, "balance"), "daily": refusal(429, "daily"),
    "capped-until": capped_until, "try-again-in": try_again_in,
    "overloaded": refusal(429, "overloaded"), "payment": refusal(402, "balance"),
    "unauthorized": refusal(401, "key"), "forbidden": refusal(403, "key"),
    "no-model": refusal(404, "model"), "too-long": refusal(400, "long"),
    "refused": refusal(400, "refused"),
    "error-object": altered(error_object), "error-content": altered(error_content),
    "no-choices": altered(no_choices), "null-content": altered(null_content),
    "empty-content": altered(empty_content), "no-usage": altered(no_usage),
    "nul": spliced(b"a\\u0000b", b""), "invalid-utf8": spliced(b"\xff\xfe", b""),
    "surrogate": spliced(b"\\ud800", b""), "two-values": spliced(b"", b" {}"),
    "duplicate-keys": duplicate_keys, "deep": deep, "big-number": big_number,
    "truncated": truncated, "bad-chunks": bad_chunks, "gzip-bomb": gzip_bomb,
    "huge-body": huge_body, "huge-header": huge_header,
    "hang": hang, "drip": drip, "blanks": blanks, "stream": stream,
    "reset": reset, "reset-next": reset_next, "close-idle": close_idle,
    "redirect": redirect, "wrong-model": wrong_model,
}
