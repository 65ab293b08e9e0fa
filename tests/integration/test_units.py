# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit files: systemd reads them without a word, they are closed, and what they run works as
they say it: options, credentials, readiness, an orderly end. The example for Redis loads."""

import os
import re
import shlex
import socket
import subprocess

import requests

import frame

DATA = os.path.join(frame.BUILD, "data")
ROOT = os.path.join(frame.HERE, "..", "..")
UNITS = {"gangwayd.service": "--user", "gangwayd-system.service": "--system",
         "gangway-worker.service": "--system"}
SECRETS = {"GANGWAY_REDIS_PASSWORD": "a pass%word/with@all:", "NVIDIA_API_KEY": frame.CANARY}


class Manager:
    """What systemd would do for a unit, as far as the programs see it."""

    def __init__(self, case, name):
        self.case = case
        self.home = case.home
        self.settings = []
        with open(os.path.join(DATA, name), encoding="utf-8") as file:
            for line in file:
                key, equals, value = line.strip().partition("=")
                if equals and not key.startswith("#"):
                    self.settings.append((key, value))
        self.credentials = self.home.file("credentials/.keep", "")[:-len("/.keep")]
        self.path = os.path.join(self.home.path, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(frame.PATIENCE)
        case.addCleanup(self.socket.close)

    def all(self, key):
        return [value for name, value in self.settings if name == key]

    def start(self, secrets, *more):
        """Runs the line of the unit, its program taken from the build."""
        self.case.assertEqual(self.all("Type"), ["notify"])
        env = {**self.home.env, "NOTIFY_SOCKET": self.path}
        for name, secret in secrets.items():
            if name in self.all("LoadCredential"):
                self.home.file(f"credentials/{name}", secret + "\n")
                env["CREDENTIALS_DIRECTORY"] = self.credentials
        for name in self.all("StateDirectory"):
            os.makedirs(os.path.join(self.home.path, "state", name))
        line = self.all("ExecStart")[0]
        for specifier, value in (("%E", os.path.join(self.home.path, "config")),
                                 ("%S", os.path.join(self.home.path, "state")),
                                 ("%d", self.credentials)):
            line = line.replace(specifier, value)
        program, *arguments = shlex.split(line)
        self.case.assertEqual(os.path.basename(program), "gangwayd")
        return self.case.keep(frame.Process([frame.program("gangwayd"), *arguments, *more], env=env,
                                            cwd=self.home.path))

    def told(self):
        return self.socket.recv(4096).decode()


class Units(frame.Case):
    def setUp(self):
        super().setUp()
        self.redis_socket = os.path.join(self.home.path, "redis.sock")

    def redis(self, *more):
        redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--unixsocket", self.redis_socket, "--dir",
             self.home.path, *more], env={"PATH": os.environ["PATH"]}))
        redis.wait_line(r"ready to accept connections at")
        return redis

    def test_systemd_reads_them(self):
        folder = os.path.join(self.home.path, "units")
        os.mkdir(folder)
        for name, kind in UNITS.items():
            with self.subTest(unit=name):
                with open(os.path.join(DATA, name), encoding="utf-8") as file:
                    text = re.sub(r"^ExecStart=\S+", f"ExecStart={frame.program('gangwayd')}",
                                  file.read(), flags=re.MULTILINE)
                path = self.home.file(f"units/{name}", text)
                done = subprocess.run(
                    ["systemd-analyze", "verify", kind, "--man=no", path], env=self.home.env,
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                    check=False)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_none_is_given_up(self):
        """A queue that is being moved, or a port that is taken, passes: no limit of starts."""
        for name in UNITS:
            with open(os.path.join(DATA, name), encoding="utf-8") as unit:
                head = unit.read().split("[Service]")[0]
            self.assertIn("\nStartLimitIntervalSec=0\n", head, name)

    def test_services_of_a_machine_are_closed(self):
        for name, kind in UNITS.items():
            if kind == "--user":
                continue
            with self.subTest(unit=name):
                # 0 is closed, 100 open; the figure that docs/redis.md tells.
                done = subprocess.run(
                    ["systemd-analyze", "security", "--offline=yes", "--threshold=15",
                     os.path.join(DATA, name)], env=self.home.env, stdin=subprocess.DEVNULL,
                    capture_output=True, text=True, timeout=60, check=False)
                self.diagnose(f"{name}: {done.stdout.strip().splitlines()[-1]}")
                self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def assert_runs(self, name, ready, secrets, config):
        self.home.configure(config)
        manager = Manager(self, name)
        # The port of the unit is the one of the configuration.
        daemon = manager.start(secrets)
        self.assertEqual(manager.told(), "READY=1")
        url = daemon.wait_line(ready).group(1)
        if url.startswith("http"):
            health = requests.get(url + "/health", timeout=10).json()
            self.assertEqual(health["service"], "gangway")
            told = requests.get(url + "/providers", timeout=10).json()
            nvidia = [one for one in told["providers"] if one["name"] == "nvidia"]
            if "NVIDIA_API_KEY" in secrets and name != "gangwayd.service":
                self.assertEqual(nvidia[0]["key_source"], "environment", nvidia)
        daemon.child.terminate()
        self.assertEqual(manager.told(), "STOPPING=1")
        self.assertEqual(daemon.wait(), 0, daemon.stderr)
        self.assertNotIn(frame.CANARY, daemon.stderr + daemon.stdout)
        self.assertNotIn(SECRETS["GANGWAY_REDIS_PASSWORD"], daemon.stderr + daemon.stdout)
        return daemon

    def test_a_user_s_gateway(self):
        self.assert_runs("gangwayd.service", r"listening on (http://\S+)", {},
                         "[gateway]\nport=0\n")

    def test_a_machine_s_gateway(self):
        self.redis("--requirepass", SECRETS["GANGWAY_REDIS_PASSWORD"])
        self.assert_runs("gangwayd-system.service", r"listening on (http://\S+)", SECRETS,
                         f"[gateway]\nport=0\n[queue]\nredis-uri=redis+unix://{self.redis_socket}\n")

    def test_a_worker(self):
        self.redis("--requirepass", SECRETS["GANGWAY_REDIS_PASSWORD"])
        self.assert_runs("gangway-worker.service", r"working on (redis\+unix://\S+)", SECRETS,
                         f"[queue]\nredis-uri=redis+unix://{self.redis_socket}\n")

    def test_nobody_is_told_before_it_serves(self):
        self.home.configure("[gateway]\nport=no number\n")
        manager = Manager(self, "gangwayd.service")
        daemon = manager.start({})
        self.assertEqual(daemon.wait(), 2)
        manager.socket.setblocking(False)
        self.assertRaises(BlockingIOError, manager.told)

    def test_the_example_configuration(self):
        """Redis starts by it, and the user that it gives to the programs can do all that they do."""
        port = frame.free_port()
        redis = self.keep(frame.Process(
            ["redis-server", os.path.join(ROOT, "examples", "redis.conf"), "--port", str(port),
             "--dir", self.home.path], env={"PATH": os.environ["PATH"]}))
        redis.wait_line(r"[Rr]eady to accept connections")

        def ask(*words):
            return subprocess.run(
                ["redis-cli", "-p", str(port), "--user", "admin", "--pass", "change-me",
                 "--no-auth-warning", *words], capture_output=True, text=True, check=True,
                timeout=30).stdout.split()

        self.assertEqual(ask("config", "get", "appendonly"), ["appendonly", "yes"])
        self.assertEqual(ask("config", "get", "maxmemory-policy")[1], "noeviction")
        uri = f"redis://gangway:change-me-too@127.0.0.1:{port}"
        gateway = self.daemon("--no-workers")
        task_id = gateway.submit("moves")
        self.assertEqual(gateway.terminate(), 0)
        mover = self.daemon_unready("--migrate-to", uri, port=None)
        self.assertEqual(mover.wait(60), 0, mover.stderr)
        mock = self.mock(providers={"one": {"concurrency": 4}})
        gateway = self.daemon("--redis", uri, config=self.lanes(mock, one={}))
        self.assertEqual(gateway.wait_task(task_id)["status"], "completed")
        self.assertEqual(gateway.terminate(), 0)
        mover = self.daemon_unready("--migrate-to", "embedded", "--redis", uri, port=None)
        self.assertEqual(mover.wait(60), 0, mover.stderr)
        self.assertEqual(ask("acl", "log"), [], "a command that it was refused")
        for text in (gateway.stderr, mover.stderr):
            self.assertNotIn("change-me-too", text)

    def test_a_password_in_a_file(self):
        self.redis("--requirepass", "in a file")
        self.home.file("config/gangway/redis-password", "in a file\n")
        gateway = self.daemon(config=f"[queue]\nredis-uri=redis+unix://{self.redis_socket}\n"
                              "redis-password-file=redis-password\n")
        self.assertEqual(gateway.ok("GET", "/health")["queue"], "redis")

    def test_a_name_that_is_no_file(self):
        """An abstract socket, as containers have it."""
        path = f"\0gangway-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(path)
            listener.settimeout(frame.PATIENCE)
            self.daemon(env={"NOTIFY_SOCKET": "@" + path[1:]})
            self.assertEqual(listener.recv(100), b"READY=1")


if __name__ == "__main__":
    frame.main()
