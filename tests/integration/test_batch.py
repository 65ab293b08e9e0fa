# SPDX-License-Identifier: GPL-3.0-or-later
"""gangway-batch from outside: every option, format and exit code."""

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import time

import frame

CSV_HEADER = ("index,task_id,status,content,result,error_code,error_message,model,provider,"
              "attempts,created_at,finished_at,duration_ms")
HANG = '[[mock {"do": "hang"}]]'
REFUSED = '[[mock {"do": "refused", "form": "zhipu"}]]'
FAILS_ONCE = '[[mock [{"do": "refused", "form": "zhipu"}]]]'


def answers(*tasks):
    return [f"answer to: {task}" for task in tasks]


class BatchCase(frame.Case):
    """A gateway with one lane, named to gangway-batch by the environment."""

    embedded = False

    def setUp(self):
        super().setUp()
        self.provider = self.mock()
        self.gateway = None
        config = self.lanes(self.provider, one={})
        if self.embedded:
            self.home.configure(config)
        else:
            self.gateway = self.daemon(config=config)
            self.home.env["GANGWAY_GATEWAY"] = self.gateway.url

    def results(self, *arguments, **more):
        """Runs, gives the JSON of standard output."""
        return json.loads(self.run_batch(*arguments, **more).stdout)

    def read(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()

    def contents(self, tasks):
        return [task["content"] for task in tasks]


class Input(BatchCase):
    def test_lines_of_standard_input(self):
        tasks = self.results(stdin="\ufeffone\r\n\r\n  two  \n\n\t\nthree ✓".encode("utf-8"))
        self.assertEqual(self.contents(tasks), ["one", "two", "three ✓"])
        self.assertEqual([task["result"] for task in tasks], answers("one", "two", "three ✓"))
        tasks = self.results("-", stdin="dash\n")
        self.assertEqual(self.contents(tasks), ["dash"])

    def test_several_files_in_order(self):
        first = self.home.file("b.txt", "b1\nb2\n")
        second = self.home.file("a.txt", "a1\n")
        tasks = self.results(first, second, first)
        self.assertEqual(self.contents(tasks), ["b1", "b2", "a1", "b1", "b2"])

    def test_what_was_left_out_is_said_again_at_the_end(self):
        path = self.home.file("t.csv", "task,who\none,a\n,b\nthree,c\n")
        process = self.run_batch(path)
        self.assertEqual(self.contents(json.loads(process.stdout)), ["one", "three"])
        self.assertRegex(process.stderr.splitlines()[-1], r"1 row .*t\.csv, row 3")

    def test_split(self):
        text = "# one\nline\n\nsecond\n---\nthird\n\n"
        path = self.home.file("t.txt", text)
        for how, wanted in [("line", ["# one", "line", "second", "---", "third"]),
                            ("blank", ["# one\nline", "second\n---\nthird"]),
                            ("rule", ["# one\nline\n\nsecond", "third"]),
                            ("whole", [text.strip()])]:
            with self.subTest(how=how):
                tasks = self.results(path, "--split", how)
                self.assertEqual([content.strip() for content in self.contents(tasks)], wanted)
        self.run_batch(path, "--split", "sideways", code=2)

    def test_markdown(self):
        path = self.home.file("t.md", "---\ntitle: x\n---\nfirst\n\n```\n---\n```\n\n---\nsecond\n")
        tasks = self.results(path)
        self.assertEqual(len(tasks), 2, self.contents(tasks))
        self.assertIn("```\n---\n```", tasks[0]["content"])
        self.assertEqual(tasks[1]["content"].strip(), "second")
        whole = self.home.file("w.md", "# Title\n\nno rule here\n")
        self.assertEqual([text.strip() for text in self.contents(self.results(whole))],
                         ["# Title\n\nno rule here"])

    def test_json_and_jsonl(self):
        lines = ['"text"', '{"prompt": "p", "row": 1}', '{"content": "c"}', '{"question": "q"}',
                 '{"messages": [{"role": "user", "content": "m"}]}',
                 '{"custom_id": "x1", "body": {"messages": [{"role": "user", "content": "o"}]}}']
        path = self.home.file("t.jsonl", "\n".join(lines) + "\n")
        tasks = self.results(path)
        self.assertEqual(self.contents(tasks), ["text", "p", "c", "q", "m", "o"])
        self.assertEqual(tasks[1]["metadata"]["row"], 1)
        path = self.home.file("t.json", json.dumps(["a", {"task": "b"}]))
        self.assertEqual(self.contents(self.results(path)), ["a", "b"])
        path = self.home.file("u.json", json.dumps({"tasks": ["c", {"input": "d"}]}))
        self.assertEqual(self.contents(self.results(path)), ["c", "d"])

    def test_tables(self):
        table = 'id,question,lang\n1,"What, ""now""?",de\n2,"two\nlines",fr\n3,,es\n'
        path = self.home.file("t.csv", table)
        process = self.run_batch(path, "--format", "json")
        tasks = json.loads(process.stdout)
        self.assertEqual(self.contents(tasks), ['What, "now"?', "two\nlines"])
        self.assertEqual(tasks[0]["metadata"]["lang"], "de")
        self.assertEqual(tasks[1]["metadata"]["id"], "2")
        tasks = self.results(path, "--column", "lang")
        self.assertEqual(self.contents(tasks), ["de", "fr", "es"])
        process = self.run_batch(path, "--column", "nothing", code=2)
        for column in ("id", "question", "lang"):
            self.assertIn(column, process.stderr)
        other = self.home.file("o.csv", "a;b\n1;2\n")
        process = self.run_batch(other, code=2)
        for column in ("a", "b"):
            self.assertRegex(process.stderr, rf"\b{column}\b")
        path = self.home.file("t.tsv", "text\tn\nfirst\t1\nsecond\t2\n")
        self.assertEqual(self.contents(self.results(path)), ["first", "second"])

    def test_template(self):
        path = self.home.file("t.csv", "text,language\nhello,French\nbye,Dutch\n")
        tasks = self.results(path, "--template", "Translate {text} to {language} {{as is}}")
        self.assertEqual(self.contents(tasks), ["Translate hello to French {as is}",
                                                "Translate bye to Dutch {as is}"])
        self.assertEqual(tasks[0]["metadata"]["language"], "French")
        tasks = self.results("--template", "Sum up: {task}", stdin="one\ntwo\n")
        self.assertEqual(self.contents(tasks), ["Sum up: one", "Sum up: two"])
        before = self.provider.stats("one")["calls"]
        process = self.run_batch(path, "--template", "{nothing}", code=2)
        self.assertIn("nothing", process.stderr)
        self.run_batch("--template", "{text", stdin="one\n", code=2)
        self.assertEqual(self.provider.stats("one")["calls"], before)

    def test_closed_standard_files(self):
        """None of them becomes a file of the program's own, to be read or written by mistake."""
        for closing, code in [("<&-", 2), (">&-", 2), ("2>&-", 0)]:
            with self.subTest(closing=closing):
                process = self.keep(frame.Process(
                    ["/bin/sh", "-c", f'exec "$0" "$@" {closing}', frame.program("gangway-batch")],
                    env=self.home.env, stdin=b"one\n", name="gangway-batch"))
                self.assertEqual(process.wait(20), code, process.stderr)

    def test_wrong_use_is_2(self):
        good = self.home.file("t.txt", "one\n")
        for arguments in (["--unheard-of"], [good, "--concurrency", "0"],
                          [good, "--concurrency", "x"], [good, "--concurrency", "10001"],
                          [good, "--serial", "--concurrency", "2"], [good, "--format", "xml"],
                          [good, "--timeout", "-1"], [good, "--timeout", "nan"],
                          [good, "--timeout", "soon"], [self.home.file("no-such.txt")],
                          [os.path.join(self.home.path, "cache")],
                          [good, "--gateway", "http://"],
                          [good, "--output", "/no/such/folder/r.json"],
                          [good, "--output", self.home.path], [good, "--output", good],
                          [good, "--output", os.path.join(self.home.path, ".", "t.txt")]):
            with self.subTest(arguments=arguments):
                process = self.run_batch(*arguments, code=2, patience=20)
                self.assertEqual(process.stdout, "")
                self.assertTrue(process.stderr.strip())
        self.assertIn("--unheard-of; --help lists all of them",
                      self.run_batch("--unheard-of", code=2).stderr)
        self.assertEqual(self.read(good), "one\n")
        link = self.home.file("link.txt")
        os.link(good, link)
        self.run_batch(good, "--output", link, code=2)
        os.symlink(good, self.home.file("symlink.txt"))
        self.run_batch(good, "--output", self.home.file("symlink.txt"), code=2)
        self.assertEqual(self.read(good), "one\n")
        self.assertEqual(self.provider.stats("one")["calls"], 0)

    def test_empty_and_unreadable_input_is_2(self):
        for data in ("", "\n \n\t\r\n", "\ufeff"):
            with self.subTest(data=data):
                self.run_batch(stdin=data, code=2)
                self.run_batch(self.home.file("e.txt", data), code=2)
        self.run_batch(self.home.file("e.json", "[]"), code=2)
        self.run_batch(self.home.file("e.json", "{broken"), code=2)
        self.run_batch(self.home.file("e.csv", "task\n"), code=2)
        self.assertEqual(self.provider.stats("one")["calls"], 0)

    def test_version_and_help(self):
        self.assertRegex(self.run_batch("--version").stdout, r"\d+\.\d+")
        self.assertIn("--serial", self.run_batch("--help").stdout)


class Output(BatchCase):
    def test_json(self):
        path = self.home.file("r.json")
        process = self.run_batch("--output", path, stdin="eins ✓\nzwei " + REFUSED + "\n", code=1)
        self.assertEqual(process.stdout, "")
        text = self.read(path)
        tasks = json.loads(text)
        self.assertEqual(text, json.dumps(tasks, ensure_ascii=False, indent=2) + "\n")
        self.assertIn("eins ✓", text)
        self.assertEqual(tasks, [self.gateway.task(task["task_id"]) for task in tasks])
        self.assertEqual([task["status"] for task in tasks], ["completed", "failed"])
        self.assertEqual(tasks[1]["error"]["code"], "refused")

    def test_formats_by_suffix_and_option(self):
        source = self.home.file("t.csv", 'task,who\n"a, ""b""",Ann\n"c\nd",Bo\n')
        for name, option, wanted in [("r.json", None, "json"), ("r.jsonl", None, "jsonl"),
                                     ("r.csv", None, "csv"), ("r.md", None, "md"),
                                     ("r.txt", None, "json"), ("r.json", "csv", "csv"),
                                     (None, "jsonl", "jsonl"), (None, "md", "md")]:
            with self.subTest(name=name, option=option):
                arguments = ["--output", self.home.file(name)] if name else []
                arguments += ["--format", option] if option else []
                process = self.run_batch(source, *arguments)
                text = self.read(self.home.file(name)) if name else process.stdout
                if wanted == "json":
                    self.assertEqual(len(json.loads(text)), 2)
                    self.assertTrue(text.startswith("[\n"))
                elif wanted == "jsonl":
                    lines = text.splitlines()
                    self.assertEqual(len(lines), 2)
                    tasks = [json.loads(line) for line in lines]
                    self.assertEqual(self.contents(tasks), ['a, "b"', "c\nd"])
                    self.assertTrue(text.endswith("}\n"))
                elif wanted == "csv":
                    self.assertEqual(text.split("\n")[0], CSV_HEADER + ",who")
                    self.assertNotIn("\r", text)
                    rows = list(csv.DictReader(io.StringIO(text, newline="")))
                    self.assertEqual([row["content"] for row in rows], ['a, "b"', "c\nd"])
                    self.assertEqual([row["result"] for row in rows],
                                     answers('a, "b"', "c\nd"))
                    self.assertEqual([row["who"] for row in rows], ["Ann", "Bo"])
                    self.assertEqual([row["index"] for row in rows], ["1", "2"])
                    self.assertEqual(rows[0]["provider"], "one")
                    self.assertEqual(rows[0]["attempts"], "1")
                else:
                    self.assertTrue(text.startswith("#"))
                    self.assertIn('answer to: a, "b"', text)

    def test_replaced_atomically(self):
        path = self.home.file("out/r.json", "what was there\n")
        os.chmod(path, 0o640)
        process = self.batch("--output", path, stdin="one " + HANG + "\ntwo\n")
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 2, "both calls")
        frame.wait_for(lambda: self.provider.stats("one")["answered"] == 1, "an answer")
        self.assertEqual(self.read(path), "what was there\n")
        inode = os.stat(path).st_ino
        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.assertNotEqual(os.stat(path).st_ino, inode)
        self.assertEqual([task["status"] == "completed" for task in json.loads(self.read(path))],
                         [False, True])
        self.assertEqual(os.listdir(os.path.dirname(path)), ["r.json"])

    def test_new_file_has_ordinary_rights(self):
        path = self.home.file("r.json")
        self.run_batch("--output", path, stdin="one\n")
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o666 & ~mask)

    def test_progress_and_quiet(self):
        loud = self.run_batch(stdin="one\ntwo\n")
        self.assertTrue(loud.stderr.strip())
        self.assertNotIn("\x1b", loud.stderr)
        quiet = self.run_batch("--quiet", stdin="one\ntwo\n")
        self.assertEqual(quiet.stderr.strip(), "")
        self.assertEqual(len(json.loads(quiet.stdout)), 2)

    def test_bar_on_a_terminal(self):
        master, slave = os.openpty()
        process = subprocess.Popen(
            [frame.program("gangway-batch"), "--output", self.home.file("r.json")],
            env={**self.home.env, "TERM": "xterm"}, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True)
        os.close(slave)
        seen = bytearray()
        process.stdin.write(b"one\ntwo\nthree\n")
        process.stdin.close()
        try:
            while data := os.read(master, 65536):
                seen += data
        except OSError:     # the terminal's other end is closed
            pass
        self.assertEqual(process.wait(30), 0)
        os.close(master)
        self.assertIn(b"\r", seen.replace(b"\r\n", b"\n"))
        self.assertIn(b"3", seen)

    def test_full_device_is_said(self):
        """Results that cannot be written are an error, not a success."""
        process = self.keep(frame.Process(
            ["/bin/sh", "-c", 'exec "$0" "$@" >/dev/full', frame.program("gangway-batch")],
            env=self.home.env, stdin=b"one\n"))
        self.assertEqual(process.wait(60), 2, process.stderr)
        self.assertTrue(process.stderr.strip())


class Runs(BatchCase):
    def test_serial_and_concurrency(self):
        self.provider.provider("one", latency=0.1)
        tasks = [f"t{n}" for n in range(6)]
        self.run_batch("--serial", stdin="\n".join(tasks))
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 1)
        self.assertEqual([call["content"] for call in self.provider.calls()], tasks)
        self.provider.reset()
        self.run_batch("--concurrency", "3", stdin="\n".join(tasks))
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 3)
        self.provider.reset()
        self.run_batch(stdin="\n".join(tasks))
        self.assertEqual(self.provider.stats("one")["max_in_flight"], 5)

    def test_added_beyond_the_token_limit(self):
        first = self.results("--project", "spent", stdin="one\n")
        path = f"/projects/{first[0]['project_id']}"
        self.gateway.ok("PATCH", path, {"token_limit": 1})
        self.assertEqual(self.results("--resume", "spent"), self.results("--resume", "spent"))
        process = self.run_batch("--project", "spent", code=2, stdin="two\n")
        self.assertIn("token limit", process.stderr)
        self.assertEqual(self.gateway.ok("GET", path)["token_limit"], 1)
        process = self.run_batch("--resume", "spent", code=2)
        self.assertIn("token limit", process.stderr)
        self.gateway.ok("PATCH", path, {"token_limit": None, "paused": False})
        self.assertEqual([task["status"] for task in self.results("--resume", "spent")],
                         ["completed", "completed"])

    def test_project_names_and_own_results(self):
        first = self.results("--project", "mine", stdin="one\n")
        second = self.results("--project", "mine", stdin="two\n")
        self.assertEqual(self.contents(second), ["two"])
        self.assertEqual(first[0]["project_id"], second[0]["project_id"])
        self.assertEqual(self.gateway.ok(
            "GET", f"/projects/{first[0]['project_id']}")["name"], "mine")
        third, fourth = self.results(stdin="x\n"), self.results(stdin="x\n")
        self.assertNotEqual(third[0]["project_id"], fourth[0]["project_id"])

    def test_an_ending_that_names_no_format_is_said(self):
        path = self.home.file("r.xml", "")
        process = self.run_batch("--output", path, stdin="a\n")
        self.assertRegex(process.stderr, r"r\.xml.*JSON.*--format")
        self.assertEqual(len(json.loads(self.read(path))), 1)
        process = self.run_batch("--output", path, "--format", "json", stdin="a\n")
        self.assertNotIn("r.xml", process.stderr)

    def test_pins(self):
        tasks = self.results("--provider", "one", "--model", "special", stdin="a\n")
        self.assertEqual(tasks[0]["metadata"]["model"], "special")
        self.assertEqual(self.provider.stats("one")["models"], {"special": 1})
        process = self.run_batch("--provider", "nobody", stdin="a\n", code=2)
        self.assertRegex(process.stderr, r"nobody.*: one, .*\bpractice\b")
        self.assertNotIn("GET /", process.stderr)

    def test_failed_task_is_1(self):
        tasks = json.loads(self.run_batch(
            stdin=f"one\ntwo {REFUSED}\nthree\n", code=1).stdout)
        self.assertEqual([task["status"] for task in tasks], ["completed", "failed", "completed"])

    def test_retry_failed(self):
        tasks = json.loads(self.run_batch("--project", "again", code=1,
                                          stdin=f"one\ntwo {FAILS_ONCE}\n").stdout)
        self.assertEqual(tasks[1]["status"], "failed")
        again = self.results("--resume", "again", "--retry-failed")
        self.assertEqual(self.contents(again), self.contents(tasks))
        self.assertEqual([task["status"] for task in again], ["completed"] * 2)
        self.assertEqual(self.provider.bought(), {"one": 1, f"two {FAILS_ONCE}": 1})

    def interrupted(self, number, code):
        tasks = ["quick", "slow " + HANG, "waiting"]
        process = self.batch("--serial", "--project", "stopped", stdin="\n".join(tasks))
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 2, "the second call")
        process.signal(number)
        self.assertEqual(process.wait(30), code)
        results = json.loads(process.stdout)
        self.assertEqual(self.contents(results), tasks)
        self.assertEqual(results[0]["status"], "completed")
        self.assertEqual(results[2]["status"], "queued")
        self.assertIn("--resume", process.stderr)
        self.assertIn("stopped", process.stderr)
        return results

    def test_interrupt_is_130_and_resumes(self):
        results = self.interrupted(signal.SIGINT, 130)
        project = self.gateway.ok("GET", f"/projects/{results[0]['project_id']}")
        self.assertIs(project["paused"], True)
        self.gateway.ok("DELETE", f"/tasks/{results[1]['task_id']}")
        process = self.run_batch("--resume", "stopped", code=1)
        resumed = json.loads(process.stdout)
        self.assertEqual([task["status"] for task in resumed],
                         ["completed", "cancelled", "completed"])
        self.assertEqual(self.provider.bought()["quick"], 1)

    def test_terminate_is_143(self):
        self.interrupted(signal.SIGTERM, 143)

    def test_second_interrupt_ends_at_once(self):
        process = self.batch("--serial", stdin="slow " + HANG + "\nwaiting\n")
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 1, "the call")
        process.signal(signal.SIGINT)
        time.sleep(0.1)
        process.signal(signal.SIGINT)
        self.assertIn(process.wait(10), (130, -signal.SIGINT))
        self.assertIn("To go on: gangway-batch --resume", process.stderr)

    def test_timeout_is_4(self):
        process = self.run_batch("--timeout", "1", "--project", "late", code=4,
                                 stdin="quick\nslow " + HANG + "\n")
        results = json.loads(process.stdout)
        self.assertEqual(results[0]["status"], "completed")
        self.assertIn("--resume", process.stderr)
        self.assertIs(self.gateway.ok(
            "GET", f"/projects/{results[0]['project_id']}")["paused"], True)

    def test_resume_of_nothing(self):
        process = self.run_batch("--resume", "never-heard-of", code=2)
        self.assertIn("never-heard-of", process.stderr)

    def test_unreachable_is_3(self):
        port = frame.free_port()
        for address in (f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"):
            process = self.run_batch("--gateway", address, stdin="a\n", code=3, patience=60)
            self.assertIn(str(port), process.stderr)
        other = self.keep(frame.Process(
            [frame.PYTHON, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
            env=self.home.env, cwd=self.home.file("data"), name="some web server"))
        port = other.wait_line(r"port (\d+)").group(1)
        process = self.run_batch("--gateway", f"http://127.0.0.1:{port}", stdin="a\n", code=3)
        self.assertIn(port, process.stderr)
        self.run_batch("--gateway", f"http://127.0.0.1:{self.gateway.port}/", stdin="a\n")

    def test_wrong_token_is_3(self):
        self.gateway.terminate()
        gateway = self.daemon(env={"GANGWAY_TOKEN": "right"})
        self.run_batch("--gateway", gateway.url, stdin="a\n", code=3,
                       env={"GANGWAY_TOKEN": "wrong"})
        tasks = json.loads(self.run_batch("--gateway", gateway.url, stdin="a\n",
                                          env={"GANGWAY_TOKEN": "right"}).stdout)
        self.assertEqual(tasks[0]["status"], "completed")

    def test_gateway_restarts_under_a_run(self):
        """A restart within the time that a client waits loses nothing."""
        self.provider.provider("one", latency=0.2)
        port = self.gateway.port
        process = self.batch("--concurrency", "2", stdin="\n".join(f"t{n}" for n in range(12)))
        frame.wait_for(lambda: self.provider.stats("one")["answered"] >= 2, "two answers")
        self.gateway.kill()
        self.daemon(port=port)
        self.assertEqual(process.wait(60), 0, process.stderr)
        results = json.loads(process.stdout)
        self.assertEqual([task["result"] for task in results],
                         answers(*[f"t{n}" for n in range(12)]))


class Embedded(BatchCase):
    """Without a gateway the engine runs in gangway-batch itself."""

    embedded = True

    def test_runs_and_leaves_nothing(self):
        process = self.run_batch("--output", self.home.file("r.json"), stdin="one\ntwo\n")
        tasks = json.loads(self.read(self.home.file("r.json")))
        self.assertEqual([task["result"] for task in tasks], answers("one", "two"))
        self.assertTrue(os.path.exists(os.path.join(self.home.data, "queue.db")))
        self.assertFalse(frame.is_listening("127.0.0.1", 8000))
        self.assertEqual(process.members(), [])

    def test_taken_port_is_no_hindrance(self):
        """Something that is no gateway listens on 8000."""
        self.keep(frame.Mock(port=8000))
        tasks = self.results(stdin="one\n")
        self.assertEqual(tasks[0]["result"], "answer to: one")

    def test_data_dir_and_config(self):
        config = self.home.file("other.conf", self.lanes(self.provider, two={}))
        data = os.path.join(self.home.path, "elsewhere")
        tasks = self.results("--config", config, "--data-dir", data, stdin="one\n")
        self.assertEqual(tasks[0]["metadata"]["provider"], "two")
        self.assertTrue(os.path.exists(os.path.join(data, "queue.db")))
        self.assertFalse(os.path.exists(os.path.join(self.home.data, "queue.db")))

    def test_interrupt_resume_buys_nothing_twice(self):
        self.provider.provider("one", latency=0.3)
        tasks = [f"t{n}" for n in range(20)]
        path = self.home.file("r.json")
        process = self.batch("--project", "p", "--output", path, stdin="\n".join(tasks))
        frame.wait_for(lambda: self.provider.stats("one")["answered"] >= 5, "five answers")
        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)
        done = [task for task in json.loads(self.read(path)) if task["status"] == "completed"]
        self.assertGreaterEqual(len(done), 5)
        self.assertFalse(frame.is_listening("127.0.0.1", 8000))
        self.run_batch("--resume", "p", "--output", path)
        results = json.loads(self.read(path))
        self.assertEqual(self.contents(results), tasks)
        self.assertEqual([task["result"] for task in results], answers(*tasks))
        self.assertEqual(set(self.provider.bought().values()), {1})

    def test_older_projects_are_held_and_named(self):
        process = self.batch("--project", "older", "--serial",
                             stdin="slow " + HANG + "\nlater\n")
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 1, "the call")
        process.kill()
        process = self.run_batch(stdin="new\n")
        self.assertEqual(self.contents(json.loads(process.stdout)), ["new"])
        self.assertIn("older", process.stderr)
        self.assertEqual(self.provider.stats("one")["calls"], 2)

    def test_many_older_projects_are_one_line(self):
        process = self.batch("--project", "older", "--serial",
                             stdin="slow " + HANG + "\nlater\n")
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 1, "the call")
        process.kill()
        process = self.batch("--project", "old", "--serial", stdin="slow " + HANG + "\nlater\n")
        frame.wait_for(lambda: self.provider.stats("one")["calls"] == 2, "the call")
        process.kill()
        said = self.run_batch(stdin="new\n").stderr.splitlines()
        self.assertEqual(len([line for line in said if "held back" in line]), 1, said)
        self.assertRegex("\n".join(said), r"2 older .*“old(er)?”, “old(er)?”.*--resume")

    def test_says_first_what_it_uses(self):
        self.home.configure(
            self.lanes(self.provider, one={"api_key_env": "ONE_KEY"}, two={})
            + "[provider up]\nkind=command\ncommand=tr a-z A-Z\n"
            + "[provider practice]\nkind=practice\n")
        said = self.run_batch("--provider", "up", stdin="a\n", env={"ONE_KEY": "k"}).stderr
        self.assertRegex(said, r"Using up.*\btr\b")
        self.assertEqual(said.count("Using "), 1, said)
        said = self.run_batch(stdin="a\n", env={"ONE_KEY": "k"}).stderr
        self.assertRegex(said, r"Using one at http\S+ with the key from ONE_KEY")
        self.assertRegex(said, r"Using two at http\S+, without a key")
        self.assertRegex(said, r"Using up.*\btr\b")
        self.assertRegex(said, r"Using (?i:practice)")

    def test_limits_that_are_not_the_stored_ones(self):
        self.run_batch(stdin="a\n")
        self.home.configure(self.lanes(self.provider, one={"max_concurrency": 2}))
        said = self.run_batch(stdin="a\n").stderr
        line, = [line for line in said.splitlines() if "--set-limits" in line]
        self.assertRegex(line, r"^gangway-batch: one: .*5 at once.*2 at once.*--set-limits")
        said = self.run_batch("--set-limits", stdin="a\n").stderr
        self.assertNotIn("at once", said)
        said = self.run_batch(stdin="a\n").stderr
        self.assertNotIn("at once", said)

    def test_a_command_that_is_not_there_ends_1(self):
        self.home.configure("[provider up]\nkind=command\ncommand=/no/such/program\n")
        process = self.run_batch(code=1, stdin="a\n", patience=20)
        self.assertRegex(process.stderr, r"up: .*/no/such/program")

    def test_says_which_key_is_missing(self):
        self.home.configure(self.lanes(self.provider, one={"api_key_env": "ONE_KEY"}))
        process = self.run_batch(code=1, stdin="a\n")
        self.assertRegex(process.stderr, r"\bone\b.*\bONE_KEY\b")
        self.assertNotIn("practice", process.stderr)

    def test_says_that_the_provider_is_not_there(self):
        """A run that stands still for a dead server says so while it waits."""
        dead = f"http://127.0.0.1:{frame.free_port()}/v1"
        self.home.configure(frame.provider_group("one", dead))
        process = self.batch("--project", "p", stdin="a\n")
        process.wait_line(r"one.*cannot be reached", kind="stderr")
        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)

    def test_an_unknown_model_comes_with_what_the_provider_said(self):
        config = frame.provider_group("one", self.provider.base("one").replace("/v1", "/wrong/v1"))
        self.home.configure(config)
        process = self.run_batch(code=1, stdin="a\n")
        self.assertRegex(process.stderr, r"one: .*\(model\): .*404")

    def test_bad_key_names_the_lane_and_ends_1(self):
        self.provider.provider("one", keys=["right"])
        self.home.configure(self.lanes(self.provider, one={"api_key_env": "ONE_KEY"}))
        process = self.run_batch("--project", "p", code=1, stdin="a\nb\nc\nd\ne\nf\n",
                                 env={"ONE_KEY": "wrong"})
        self.assertEqual([task["status"] for task in json.loads(process.stdout)], ["queued"] * 6)
        self.assertRegex(process.stderr, r"\bone\b")
        self.assertRegex(process.stderr, r"(?i)key")
        self.assertLessEqual(self.provider.stats("one")["refused_keys"], 5)
        again = json.loads(self.run_batch("--resume", "p", env={"ONE_KEY": "right"}).stdout)
        self.assertEqual([task["status"] for task in again], ["completed"] * 6)

    def test_practice_is_said(self):
        self.home.configure("")
        process = self.run_batch(stdin="one\ntwo\n")
        tasks = json.loads(process.stdout)
        self.assertEqual([task["status"] for task in tasks], ["completed"] * 2)
        for task in tasks:
            self.assertIs(task["metadata"]["practice"], True)
            self.assertIn(task["content"], task["result"])
        self.assertRegex(process.stderr, r"(?i)practice")

    def test_practice_is_no_fall_back(self):
        """Once a provider was configured, tasks wait for one."""
        self.run_batch(stdin="one\n")
        self.home.configure("")
        process = self.run_batch(stdin="two\n", code=1)
        tasks = json.loads(process.stdout)
        self.assertEqual(tasks[0]["status"], "queued")
        self.assertNotIn("practice", tasks[0]["metadata"])
        tasks = self.results("--provider", "practice", stdin="three\n")
        self.assertIs(tasks[0]["metadata"]["practice"], True)

    def test_wrong_configuration_is_2(self):
        for text, words in [("[workers]\nmax-concurrency=0\n", "max-concurrency"),
                            ("[workrs]\n", "workrs"), ("[gateway]\nprot=1\n", "prot"),
                            ("[provider x]\nkind=magic\n", "kind"), ("rubbish", "gangway.conf")]:
            with self.subTest(text=text):
                self.home.configure(text)
                process = self.run_batch(stdin="one\n", code=2)
                self.assertIn(words, process.stderr)
                self.assertIn("gangway.conf", process.stderr)
                self.assertTrue(re.search(r":\d+|line \d+", process.stderr), process.stderr)

    def test_running_gateway_is_found(self):
        """At the default address, and by the lock on the data where that is somewhere else."""
        gateway = self.daemon()
        tasks = self.results(stdin="by the lock\n")
        self.assertEqual(gateway.task(tasks[0]["task_id"])["content"], "by the lock")
        gateway.terminate()
        gateway = self.daemon(port=None)
        tasks = self.results(stdin="by the address\n")
        self.assertEqual(gateway.task(tasks[0]["task_id"])["content"], "by the address")


if __name__ == "__main__":
    frame.main()
