# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP/1.1 server for the strict mock provider.

One asyncio protocol per connection, keep-alive, pipelined requests answered in order. It gives the
caller raw power over the connection (half a reply, a reset), which no ordinary server library does.
Everything runs in the event loop's one thread.
"""

import asyncio
import json
import socket
import struct
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024

REASONS = {
    200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect",
    308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    413: "Payload Too Large", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 511: "Network Authentication Required", 529: "Overloaded",
}


class Exchange:
    """One fully read request and the connection that waits for its reply."""

    __slots__ = ("connection", "method", "path", "query", "headers", "body", "arrived", "on_gone",
                 "done")

    def __init__(self, connection, method, target, headers, body, arrived):
        parts = urlsplit(target)
        self.connection = connection
        self.method = method
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = headers
        self.body = body
        self.arrived = arrived      # event loop's monotonic time at which the last byte was read
        self.on_gone = None         # called once if the client leaves before the reply is over
        self.done = False

    @property
    def gone(self):
        return self.connection.transport is None

    def head(self, status, headers, length=None):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def write(self, data):
        """Writes bytes as they are; nothing where the client has gone."""
        transport = self.connection.transport
        if transport is not None and not self.done:
            transport.write(data)

    async def drain(self):
        """Waits until the peer has taken what was written; for bodies without end."""
        await self.connection.writable.wait()

    def send(self, status, body, headers=None, content_type="application/json"):
        """Sends a whole reply and goes on with the connection's next request."""
        if not isinstance(body, bytes):
            body = body.encode("utf-8", "surrogatepass")
        fields = {"Content-Type": content_type}
        fields.update(headers or {})
        self.write(self.head(status, fields, len(body)) + body)
        self.finish()

    def send_json(self, status, value, headers=None):
        self.send(status, json.dumps(value, ensure_ascii=False), headers)

    def finish(self, close=False):
        """Ends the exchange after whatever was written."""
        if self.done:
            return
        self.done = True
        self.connection.exchange_over(self, close)

    def reset(self):
        """Ends the connection by RST, not FIN."""
        self.done = True
        self.connection.reset()


class Connection(asyncio.Protocol):
    """One client's connection: reads one request at a time, hands it to handler(exchange)."""

    def __init__(self, server):
        self.server = server
        self.transport = None
        self.buffer = bytearray()
        self.current = None
        self.requests = 0
        self.reset_after = None     # with n: the nth request is answered by RST (fault 39)
        self.deaf = False           # about to close: what comes now was never read
        self.continued = False
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport):
        self.transport = transport
        self.peer = (transport.get_extra_info("peername") or ("",))[0]
        self.server.connections.add(self)
        self.server.accepted += 1

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def connection_lost(self, _error):
        self.transport = None
        self.writable.set()
        self.server.connections.discard(self)
        exchange, self.current = self.current, None
        if exchange is not None and not exchange.done:
            exchange.done = True
            if exchange.on_gone is not None:
                exchange.on_gone()

    def data_received(self, data):
        self.buffer += data
        if self.current is None:
            self.parse()

    def reset(self):
        if self.transport is None:
            return
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def refuse(self, status):
        self.transport.write((f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Length: 0\r\n"
                              "Connection: close\r\n\r\n").encode())
        self.transport.close()

    def parse(self):
        if self.deaf:
            return
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD:
                self.refuse(413)
            return
        if self.reset_after is not None and self.requests + 1 >= self.reset_after:
            self.reset()
            return
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ")
        except ValueError:
            self.refuse(400)
            return
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        start = end + 4
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body, end_of_body = self.read_chunks(start)
            if body is None:
                return
        else:
            try:
                length = int(headers.get("content-length", "0"))
            except ValueError:
                self.refuse(400)
                return
            if length > MAX_BODY:
                self.refuse(413)
                return
            end_of_body = start + length
            if len(self.buffer) < end_of_body:
                if headers.get("expect", "").lower() == "100-continue" and not self.continued:
                    self.continued = True
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self.buffer[start:end_of_body])
        del self.buffer[:end_of_body]
        self.continued = False
        self.requests += 1
        exchange = Exchange(self, method, target, headers, body, self.server.loop.time())
        exchange.connection = self
        self.current = exchange
        self.keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self.server.handler(exchange)

    def read_chunks(self, start):
        body = bytearray()
        position = start
        while True:
            line_end = self.buffer.find(b"\r\n", position)
            if line_end < 0:
                return None, 0
            try:
                size = int(bytes(self.buffer[position:line_end]).split(b";")[0], 16)
            except ValueError:
                self.refuse(400)
                return None, 0
            position = line_end + 2
            if len(self.buffer) < position + size + 2:
                return None, 0
            body += self.buffer[position:position + size]
            position += size + 2
            if size == 0:
                return bytes(body), position

    def exchange_over(self, exchange, close):
        if self.current is not exchange:
            return
        self.current = None
        if self.transport is None:
            return
        if close or not self.keep:
            self.transport.close()
        elif self.buffer:
            self.server.loop.call_soon(self.parse_if_free)

    def parse_if_free(self):
        if self.current is None and self.transport is not None:
            self.parse()


class Server:
    """Listens, keeps the set of connections, can go deaf for a while and come back (fault 42)."""

    def __init__(self, handler, host="127.0.0.1", port=0, tls=None):
        self.handler = handler
        self.host = host
        self.port = port
        self.tls = tls
        self.connections = set()
        self.accepted = 0
        self.loop = asyncio.get_running_loop()
        self.listener = None

    async def start(self):
        self.listener = await self.loop.create_server(
            lambda: Connection(self), self.host, self.port, ssl=self.tls, backlog=1024,
            reuse_address=True)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def go_deaf(self, seconds, keep=None):
        """No listener and no connection for @seconds, then again on the same port."""
        self.listener.close()
        for connection in list(self.connections):
            if connection is not keep:
                connection.reset()
        await asyncio.sleep(seconds)
        await self.start()
