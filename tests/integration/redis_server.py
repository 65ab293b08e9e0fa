# SPDX-License-Identifier: GPL-3.0-or-later
"""A redis-server of a test's own, and a wire to it that can be slow, dead or torn."""

import os
import socket
import struct
import subprocess
import threading
import time

import frame


class RedisServer:
    """On a free port, in a folder of its own, with an append-only file that is synced at once."""

    def __init__(self, case, *arguments):
        self.case = case
        self.arguments = arguments
        # A node of a cluster takes another port, 10000 higher.
        self.port = next(port for port in iter(frame.free_port, None) if port < 55536)
        self.folder = os.path.join(case.home.path, f"redis-{self.port}")
        os.mkdir(self.folder)
        self.uri = f"redis://127.0.0.1:{self.port}/0"
        self.process = None

    def launch(self, *more):
        """Starts it and does not wait."""
        self.process = self.case.keep(frame.Process(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--loglevel", "warning", "--repl-diskless-sync-delay", "0", "--appendonly", "yes",
             "--appendfsync", "always", "--enable-protected-configs", "yes",
             "--enable-debug-command", "yes", "--dir", self.folder, *self.arguments, *more], env={"PATH": os.environ["PATH"]}))
        return self

    def start(self, *more):
        self.launch(*more)
        # A word of refusal is an answer, too.
        frame.wait_for(lambda: "LOADING" not in (self.tell("PING") or "LOADING"), "redis to answer",
                       every=0.01)
        return self

    def kill(self):
        self.process.kill()

    def forget(self):
        """What it kept is gone."""
        for folder, _, names in os.walk(self.folder, topdown=False):
            for name in names:
                os.unlink(os.path.join(folder, name))
            if folder != self.folder:
                os.rmdir(folder)

    def tell(self, *words):
        """A command's reply, as redis-cli writes it."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True, timeout=20, check=False)
        return done.stdout.strip()


class Wire:
    """Forwards a port of its own to another one."""

    def __init__(self, case, port):
        self.target = port
        self.delay = 0.0
        self.dead = False
        self.held = None        # bytes that do not get through as long as it is set
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = f"redis://127.0.0.1:{self.port}/0"
        threading.Thread(target=self._accept, daemon=True).start()
        case.addCleanup(self.close)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if self.delay:
                    time.sleep(self.delay)
                while self.dead or self.held and self.held in data:
                    time.sleep(0.01)
                sink.sendall(data)
        except OSError:
            pass
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def tear(self):
        """Every connection ends by a reset."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for client, server in pairs:
            try:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            for sock in (client, server):
                try:
                    sock.shutdown(socket.SHUT_RD)
                except OSError:
                    pass
                sock.close()

    def close(self):
        self.dead, self.held = False, None
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.tear()
