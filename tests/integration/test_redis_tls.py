# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to a real Redis: the certificate is checked, and the name in it; what is wrong is said. A
build without it says so."""

import os
import subprocess

import frame


def is_built():
    with open(os.path.join(frame.BUILD, "config.h"), encoding="utf-8") as file:
        return "#define GW_HAVE_REDIS_TLS" in file.read()


class Tls(frame.Case):
    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60,
                       cwd=self.home.path)

    def certificate(self, name, names, days="30"):
        """A key and a certificate of our authority, for @names."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self.home.file(f"{name}.ext", f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                     "-set_serial", "7", "-days", days, "-extfile", f"{name}.ext", "-out",
                     f"{name}.crt")

    def start(self, certificate, *more):
        port = frame.free_port()
        redis = self.keep(frame.Process(
            ["redis-server", "--port", "0", "--tls-port", str(port), "--tls-cert-file",
             f"{certificate}.crt", "--tls-key-file", f"{certificate}.key", "--tls-ca-cert-file",
             "ca.crt", "--save", "", "--dir", self.home.path, *more],
            env={"PATH": os.environ["PATH"]}, cwd=self.home.path))
        redis.wait_line(r"Ready to accept connections|ready to accept connections")
        return port

    def refused(self, uri, words, config=""):
        """A gateway that says @words, whether it ends by that or goes on trying."""
        gateway = self.daemon_unready("--redis", uri, config="[queue]\n" + config)
        gateway.wait_line(words, "stderr")
        if gateway.running():
            gateway.killed = True
            gateway.child.kill()
        self.assertNotEqual(gateway.wait(), 0)

    def authority(self):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ours", "-days",
                     "30")
        return f"redis-ca-file={self.home.path}/ca.crt\n"

    def test_a_build_without_it_says_so(self):
        if is_built():
            return
        gateway = self.daemon_unready("--redis", "rediss://localhost")
        self.assertEqual(gateway.wait(), 2)
        self.assertIn("This build cannot speak TLS", self.one_clear_line(gateway))

    def test_the_right_server(self):
        if not is_built():
            return
        ours = self.authority()
        self.certificate("server", "DNS:localhost,IP:127.0.0.1")
        port = self.start("server", "--tls-auth-clients", "no", "--requirepass", "a word")
        mock = self.mock(providers={"one": {"concurrency": 4, "latency": 0.01}})
        lanes = self.lanes(mock, one={"max_concurrency": 4})
        # Texts larger than what TLS takes at once.
        tasks = [f"{n} " + "x" * 40000 for n in range(30)]
        for host in ("localhost", "127.0.0.1"):
            gateway = self.daemon("--redis", f"rediss://{host}:{port}",
                                  config=f"[queue]\n{ours}{lanes}",
                                  env={"GANGWAY_REDIS_PASSWORD": "a word"})
            worker = self.daemon_unready("--redis", f"rediss://{host}:{port}", "--workers-only",
                                         env={"GANGWAY_REDIS_PASSWORD": "a word"}, port=None)
            worker.wait_line(rf"working on rediss://{host}:{port}/0")
            given = gateway.ok("POST", "/tasks/batch", {"tasks": tasks, "project": host})
            project = gateway.wait_project(given["project_id"])
            self.assertEqual(project["counts"]["completed"], len(tasks))
            self.assertEqual(worker.terminate(), 0)
            self.assertEqual(gateway.terminate(), 0)

    def test_our_own_certificate(self):
        if not is_built():
            return
        ours = self.authority()
        self.certificate("server", "DNS:localhost")
        self.certificate("worker", "DNS:worker")
        uri = f"rediss://localhost:{self.start('server')}"
        self.refused(uri, "wants a certificate of us", ours)
        gateway = self.daemon("--redis", uri, config="[queue]\n" + ours +
                              f"redis-cert-file={self.home.path}/worker.crt\n"
                              f"redis-key-file={self.home.path}/worker.key\n")
        self.assertEqual(gateway.ok("GET", "/health")["queue"], "redis")

    def test_the_wrong_server(self):
        if not is_built():
            return
        ours = self.authority()
        self.certificate("other", "DNS:elsewhere.example")
        port = self.start("other", "--tls-auth-clients", "no")
        for host in ("localhost", "127.0.0.1"):
            self.refused(f"rediss://{host}:{port}", "certificate of the server is for another name",
                         ours)
        self.refused(f"rediss://localhost:{port}", "is not trusted")
        self.refused(f"rediss://localhost:{port}", "who vouches for the server, cannot be used",
                     "redis-ca-file=/not/there\n")
        plain = self.keep(frame.Process(["redis-server", "--port", str(port := frame.free_port()),
                                         "--save", "", "--dir", self.home.path],
                                        env={"PATH": os.environ["PATH"]}))
        plain.wait_line("ready to accept connections|Ready to accept connections")
        self.refused(f"rediss://localhost:{port}",
                     "Look whether TLS is spoken on that port|no answer", ours)

    def test_an_old_certificate(self):
        if not is_built():
            return
        ours = self.authority()
        self.certificate("server", "DNS:localhost", "-1")
        port = self.start("server", "--tls-auth-clients", "no")
        self.refused(f"rediss://localhost:{port}", "has expired", ours)


if __name__ == "__main__":
    frame.main()
