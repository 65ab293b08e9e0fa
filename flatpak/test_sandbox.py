#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app in its real sandbox, in a stand-in of the runtime: what works there with the permissions
of the manifest, and that each of these is needed. Run by flatpak/test."""

import functools
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading

import sandbox
from sandbox import (APP, EXPORTS, INSIDE, PLACE, Launched, SandboxHome, WITHOUT, Window, desktop,
                     flatpak, frame, session)

GATEWAY = f"http://127.0.0.1:{desktop.DEFAULT_PORT}"
KEY = "sk-flatpak-" + frame.CANARY
EXPECTED = {"libgtk-4", "libadwaita-1", "libsoup-3", "libjson-glib-1", "libsecret-1", "libsqlite3",
            "libglib-2", "libgio-2", "libgobject-2", "libgdk_pixbuf-2", "libpango-1",
            "libpangocairo-1", "libcairo", "libcairo-gobject", "libgraphene-1", "libgmodule-2",
            "libhiredis", "libhiredis_ssl", "libssl", "libcrypto", "libharfbuzz", "libc", "libm"}


def curl(path, *arguments):
    """What the gateway of the app answers to a program outside; None: nobody is there."""
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments, GATEWAY + path],
                          capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def inside(home, *arguments, options=(), code=0):
    """Runs a program in the app's sandbox; its output."""
    done = subprocess.run(["flatpak", "run", *options, f"--command={arguments[0]}", APP,
                           *arguments[1:]], env=home.env, cwd=home.path, capture_output=True,
                          text=True, timeout=120, check=False)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def golden(name):
    with open(os.path.join(sandbox.HERE, name), encoding="utf-8") as file:
        return file.read()


def installed_files(app):
    place = os.path.join(flatpak("info", "--show-location", app).strip(), "files")
    return sorted({re.sub(r"(libhiredis(?:_ssl)?\.so)[0-9.]+", r"\1.N",
                          os.path.relpath(os.path.join(folder, name), place))
                   for folder, _, names in os.walk(place) for name in set(names) - {".ref"}})


class Case(desktop.Case):
    def setUp(self):
        super().setUp()
        self.home.remove()
        self.home = SandboxHome()

    def open(self, *arguments, config=None, env=None, options=()):
        if config is not None:
            self.home.configure(config)
        return self.keep(Window(self.home, arguments, options, env)).opened()

    def lane(self, **settings):
        mock = self.mock(providers={"near": settings})
        return mock, self.lanes(mock, near={})

    def redis(self):
        """A real server on this system's loopback; its address."""
        port = frame.free_port()
        server = self.keep(frame.Process(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self.home.path], cwd=self.home.path))
        frame.wait_for(lambda: frame.is_listening("127.0.0.1", port), "Redis")
        return server, f"redis://127.0.0.1:{port}/0"

    def end(self, window):
        window.ask("TERM")
        self.assertEqual(window.wait(), 0)

    def _clean_up(self):
        for process in self.processes:
            if isinstance(process, Window) and process.running():
                process.ask("TERM")
                try:
                    process.child.wait(15)
                except subprocess.TimeoutExpired:
                    process.ask("KILL")
        super()._clean_up()


class Installed(Case):
    """What is in the package."""

    def test_permissions_are_those_and_no_more(self):
        self.assertEqual(flatpak("info", "-M", APP), golden("permissions.txt"))

    def test_installed_files_are_those_of_the_list(self):
        self.assertEqual(installed_files(APP), golden("installed-files.txt").splitlines())

    def test_every_library_is_there(self):
        said = inside(self.home, "sh", "-c", "ldd /app/bin/*")
        self.assertIn("libhiredis", said)
        self.assertNotIn("not found", said)

    def test_no_library_is_needed_that_the_real_runtime_lacks(self):
        said = subprocess.run(
            ["readelf", "--dynamic", *(os.path.join(
                flatpak("info", "--show-location", APP).strip(), "files", "bin", name)
                for name in ("gangway", "gangwayd", "gangway-batch"))],
            capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r"NEEDED.*\[([^\]]+?)(?:\.so)[^\]]*\]", said))
        needed = {re.sub(r"[-.]0$|\.0$", "", name) for name in needed}
        self.assertEqual(needed - EXPECTED, set())


class FirstTask(Case):
    """From nothing, as a person would."""

    def own_installation(self):
        # Nothing but the runtime is there before.
        self.home.env["FLATPAK_USER_DIR"] = os.path.join(self.home.path, "flatpak")

    def run_first_task(self, shot):
        window = self.open()
        window.wait_words("Run Many Tasks", "Built-in gateway")
        window.run_task("Say hello to 世界")
        window.wait_row("Say hello to 世界", "Completed")
        window.wait_words("Practice answer")
        self.assertEqual(window.result(), "Say hello to 世界")
        window.shot(shot)
        return window

    def test_a_first_task_from_the_bundle_in_an_empty_home(self):
        self.own_installation()
        self.assertEqual(os.listdir(self.home.path), [])
        # As the README has it.
        flatpak("install", "--user", "-y", "--noninteractive",
                os.path.join(PLACE, f"{APP}.flatpak"), env=self.home.env)
        self.end(self.run_first_task("first-task"))
        self.assertTrue(os.path.exists(os.path.join(self.home.data, "queue.db")))

    def test_a_first_task_from_the_remote_by_its_flatpakref(self):
        self.own_installation()
        handler = functools.partial(http.server.SimpleHTTPRequestHandler,
                                    directory=os.path.join(PLACE, "remote"))
        handler.func.log_message = lambda *a: None
        port = int(os.environ["GW_FLATPAK_PORT"])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"http://127.0.0.1:{port}"
        flatpak("--user", "install", "-y", "--noninteractive", "--from",
                f"{address}/{APP}.flatpakref", env=self.home.env)
        remotes = flatpak("--user", "remotes", "--columns=url,options", env=self.home.env)
        self.assertIn(f"{address}/repo", remotes)
        self.assertNotIn("no-gpg-verify", remotes)
        flatpak("--user", "remote-add", "again", f"{address}/gangway.flatpakrepo",
                env=self.home.env)
        self.assertIn(APP, flatpak("--user", "remote-ls", "again", env=self.home.env))
        self.end(self.run_first_task("first-task-from-remote"))

    def test_chinese(self):
        window = self.open(options=["--env=LC_ALL=en_US.UTF-8", "--env=LANGUAGE=zh_CN"])
        window.wait_words("运行大量任务", "内置网关")
        window.type_task("你好")
        window.press("运行")
        window.wait_row("你好", "已完成", "演练回答")
        window.shot("chinese")

    def test_tasks_outlive_the_app(self):
        window = self.open()
        window.run_task("once")
        window.wait_row("once", "Completed")
        self.end(window)
        self.open().wait_row("once", "Completed")


class DevelWindow(Window):
    ID = APP + ".Devel"


BUNDLE_OF_DEVEL = os.path.join(PLACE, f"{DevelWindow.ID}.flatpak")

if os.path.exists(BUNDLE_OF_DEVEL):
    class Devel(Case):
        """What is built from the other manifest."""

        def test_it_is_installed_beside_the_release(self):
            flatpak("--user", "install", "-y", "--noninteractive", "--bundle", BUNDLE_OF_DEVEL)
            self.assertEqual(flatpak("info", "-M", DevelWindow.ID),
                             golden("permissions.txt").replace(APP, DevelWindow.ID))
            self.assertEqual(installed_files(DevelWindow.ID),
                             sorted(golden("installed-files.txt").replace(
                                 APP, DevelWindow.ID).splitlines()))
            for name, words in ((APP, "Name=Gangway\n"),
                                (DevelWindow.ID, "Name=Gangway (Devel)\n")):
                with open(os.path.join(EXPORTS, "applications", name + ".desktop"),
                          encoding="utf-8") as file:
                    self.assertIn(words, file.read())
            window = self.keep(DevelWindow(self.home)).opened()
            window.wait_words("Run Many Tasks", "Built-in gateway")
            window.run_task("Say hello")
            window.wait_row("Say hello", "Completed")
            window.shot("devel")
            self.end(window)
            data = os.path.join(self.home.path, ".var", "app", DevelWindow.ID, "data")
            self.assertTrue(os.path.exists(os.path.join(data, "gangway", "queue.db")))
            self.assertFalse(os.path.exists(self.home.data))


class Network(Case):
    """--share=network: providers, the gateway for others, Redis."""

    def test_a_provider_on_this_system_answers(self):
        mock, config = self.lane()
        window = self.open(config=config)
        window.run_task("over the loopback")
        window.wait_row("over the loopback", "Completed")
        self.assertEqual(mock.stats("near")["answered"], 1)
        window.shot("provider")

    def test_the_gateway_is_reached_from_outside(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.assertEqual(curl("/health")["status"], "ok")
        task = curl("/tasks", "-H", "Content-Type: application/json", "-d",
                    '{"content": "from outside"}')["task_id"]
        window.wait_row("from outside", "Completed")
        self.assertEqual(curl(f"/tasks/{task}")["result"], "from outside")

    def test_redis_of_this_system_has_the_queue(self):
        _, uri = self.redis()
        window = self.open(config=f"[queue]\nredis-uri={uri}\n")
        window.run_task("kept in Redis")
        window.wait_row("kept in Redis", "Completed")
        keys = subprocess.run(["redis-cli", "-u", uri, "--scan", "--pattern", "gangway:*"],
                              capture_output=True, text=True, check=True).stdout
        self.assertIn("gangway:", keys)
        self.assertFalse(os.path.exists(os.path.join(self.home.data, "queue.db")))

    def test_the_command_line_reads_tasks_and_uses_the_network(self):
        mock, config = self.lane()
        self.home.configure(config)
        done = subprocess.run(["flatpak", "run", "--command=gangway-batch", APP, "-"],
                              env=self.home.env, cwd=self.home.path, input="one\ntwo\n",
                              capture_output=True, text=True, timeout=90, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(mock.stats("near")["answered"], 2)

    def test_without_network_neither_provider_nor_gateway_nor_redis(self):
        mock, config = self.lane()
        _, uri = self.redis()
        window = self.open(config=config, options=WITHOUT["network"])
        window.wait_words("Built-in gateway")
        window.run_task("nowhere to go")
        window.wait_row("nowhere to go")
        window.wait_words("No network connection", "no connection to the provider")
        self.assertIsNone(curl("/health"))
        self.assertEqual(mock.stats("near")["calls"], 0)
        host, port = uri[8:].partition("/")[0].split(":")
        self.assertTrue(frame.is_listening(host, int(port)))
        said = inside(self.home, "timeout", "3", "bash", "-c",
                      f"echo PING >/dev/tcp/{host}/{port} && echo there",
                      options=WITHOUT["network"], code=None)
        self.assertNotIn("there", said)
        window.shot("without-network")


class Files(Case):
    """No --filesystem: a file is lent by the person who opens, drops or chooses it."""

    def tasks(self, name="lent.txt", text="first lent\nsecond lent\n"):
        return self.home.file("Documents/" + name, text)

    def test_a_file_is_opened_through_the_document_portal(self):
        window = self.open("@@", self.tasks(), "@@", options=["--file-forwarding"])
        window.wait_node("frame", "Import Tasks")
        window.wait_words("first lent", "second lent")
        window.shot("document")

    def test_a_file_that_was_not_lent_is_not_seen(self):
        window = self.open(self.tasks())
        window.wait_words("lent.txt", "There is no such file")
        self.assertFalse(window.says("first lent"))
        self.assertEqual(inside(self.home, "sh", "-c",
                                f"ls '{self.home.path}/Documents' 2>/dev/null", code=None), "")

    def test_a_file_is_dropped_by_another_process(self):
        path = self.tasks("dropped.txt", "a dropped task\n")
        window = self.open()
        window.wait_words("Built-in gateway")
        self.drag_files(window, "--lend", path)
        window.wait_node("frame", "Import Tasks")
        window.wait_words("a dropped task")
        window.shot("dropped")

    def test_a_file_is_chosen_and_the_results_saved_by_the_portal(self):
        path = self.tasks()
        session().choose(path)
        window = self.open()
        window.wait_words("Built-in gateway")
        window.key("ctrl+o")
        window.wait_node("frame", "Import Tasks")
        window.wait_words("first lent")
        window.press("_Run 2")
        window.wait_row("first lent", "Completed")
        window.wait_row("second lent", "Completed")
        saved = os.path.join(os.path.dirname(path), "results.json")
        session().choose(saved)
        window.key("ctrl+s")
        window.wait_words("Saved to results.json")
        with open(saved, encoding="utf-8") as file:
            self.assertEqual([task["result"] for task in json.load(file)],
                             ["first lent", "second lent"])

    def test_a_folder_for_results_is_named_as_people_know_it(self):
        folder = os.path.dirname(self.home.file("Documents/Answers/.keep", ""))
        session().choose(folder)
        window = self.open()
        window.wait_words("Built-in gateway")
        window.key("ctrl+comma")
        window.wait_node("page tab", "Results").act()
        window.press("Choose…")
        window.wait_words("Answers")
        self.assertFalse(window.says("/doc/"))
        window.shot("folder")
        window.key("Escape")
        window.run_task("to be kept")
        window.wait_row("to be kept", "Completed")
        frame.wait_for(lambda: [name for name in os.listdir(folder) if name != ".keep"],
                       "the results in the folder")

    def test_the_launcher_is_started_by_the_bus_and_lends_its_file(self):
        self.addCleanup(session().install_service(APP, {**self.home.env, **INSIDE}))
        window = self.keep(Launched(self.home, [self.tasks()])).opened()
        self.addCleanup(window.end)
        window.wait_node("frame", "Import Tasks")
        window.wait_words("first lent", "second lent")

    def test_a_second_start_hands_its_file_to_the_first(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        second = self.keep(Window(self.home, ["@@", self.tasks(), "@@"], ["--file-forwarding"]))
        self.assertEqual(second.wait(), 0)
        window.wait_node("frame", "Import Tasks")
        window.wait_words("first lent")


class Desktop(Case):
    """Portals: secrets and notifications need no permission."""

    def put_key(self):
        return curl("/providers/near", "-X", "PUT", "-H", "Content-Type: application/json", "-d",
                    json.dumps({"key": KEY}))

    def key_source(self):
        providers = curl("/providers")["providers"]
        return next(one["key_source"] for one in providers if one["name"] == "near")

    def test_a_key_is_kept_by_the_secret_portal_and_survives(self):
        mock, config = self.lane(keys=[KEY])
        window = self.open(config=config)
        window.wait_words("Built-in gateway")
        self.put_key()
        frame.wait_for(lambda: self.key_source() == "keyring", "the key in the keyring")
        self.assertTrue(os.listdir(self.home.app("data/keyrings")))
        self.assertEqual(self.home.find_text(KEY), [])
        window.run_task("with the key")
        window.wait_row("with the key", "Completed")
        self.end(window)
        window = self.open()
        window.run_task("with the key of last time")
        window.wait_row("with the key of last time", "Completed")
        self.assertEqual(self.key_source(), "keyring")
        self.assertEqual(mock.stats("near")["refused_keys"], 0)

    def test_without_the_portal_a_key_is_said_to_last_until_the_end(self):
        mock, config = self.lane(keys=[KEY])
        session().stop_portals()
        self.addCleanup(session().start_portals)
        window = self.open(config=config)
        window.wait_words("Built-in gateway")
        self.put_key()
        frame.wait_for(lambda: self.key_source() == "session", "the key for this session")
        window.run_task("with the key")
        window.wait_row("with the key", "Completed")
        self.assertEqual(mock.stats("near")["answered"], 1)
        self.assertEqual(self.home.find_text(KEY), [])

    def test_a_command_is_said_to_run_inside(self):
        window = self.open(config="[provider own]\nenabled=true\nkind=command\ncommand=cat\n")
        window.run_task("through a program")
        window.wait_row("through a program", "Completed")
        window.key("ctrl+comma")
        window.click(window.wait_node("list item", "own"))
        window.wait_words("inside the sandbox")
        window.shot("command")

    def test_a_notification_tells_of_the_end(self):
        _, config = self.lane(latency=3)
        window = self.open(config=config)
        window.run_lines("one", "two")
        window.wait_row("one", "Running")
        # Told only where nobody looks at the window.
        desktop.xdotool("windowfocus", "0")
        other = self.keep(frame.Process(
            [frame.PYTHON, os.path.join(sandbox.HERE, "..", "tests", "display", "drag_source.py"),
             "--text", "elsewhere"], env={**self.home.env, "G_DEBUG": ""}, name="elsewhere"))
        other.wait_line("ready")
        focus = frame.wait_for(lambda: desktop.xdotool(
            "search", "--onlyvisible", "--pid", str(other.pid)), "the other window").split()[-1]
        desktop.xdotool("windowfocus", "--sync", focus)
        session().mock.wait_line(r'"AddNotification", "%s", "[^"]+", {[^}]*Batch Finished' % APP)


class Permissions(Case):
    """Each is needed: taken away, what it is for is gone."""

    def test_x11_shows_the_window(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.assertIn("DISPLAY=:", inside(self.home, "env"))

    def test_without_a_display_socket_there_is_no_window(self):
        window = self.keep(Window(self.home, (), WITHOUT["x11"] + WITHOUT["wayland"]))
        self.assertEqual(window.wait(), 1)
        self.assertIn("Failed to open display", window.stderr)

    def wayland(self):
        name = "wayland-gangway"
        self.keep(frame.Process(
            ["weston", "--backend=x11-backend.so", "--use-pixman", "--shell=kiosk-shell.so",
             "--no-config", f"--socket={name}"], env=session().env, name="weston"))
        frame.wait_for(lambda: os.path.exists(os.path.join(session().run, name)), "weston")
        self.home.env.pop("DISPLAY")
        self.home.env["WAYLAND_DISPLAY"] = name

    def test_wayland_shows_the_window(self):
        self.wayland()
        window = self.open()
        window.wait_words("Run Many Tasks", "Built-in gateway")
        window.run_task("on Wayland")
        window.wait_row("on Wayland", "Completed")
        window.shot("wayland")

    def test_without_the_wayland_socket_there_is_no_window(self):
        self.wayland()
        window = self.keep(Window(self.home, (), WITHOUT["wayland"]))
        self.assertEqual(window.wait(), 1)
        self.assertIn("Failed to open display", window.stderr)

    def test_ipc_is_the_shared_memory_of_the_display(self):
        here = os.readlink("/proc/self/ns/ipc")
        self.assertEqual(inside(self.home, "readlink", "/proc/self/ns/ipc").strip(), here)
        self.assertNotEqual(inside(self.home, "readlink", "/proc/self/ns/ipc",
                                   options=WITHOUT["ipc"]).strip(), here)

    def test_ipc_lets_the_display_take_pictures_by_shared_memory(self):
        program = self.home.file("shared_memory", "")
        subprocess.run(["cc", "-o", program, os.path.join(sandbox.HERE, "shared_memory.c"), "-lX11",
                        "-lXext"], check=True)
        lent = [f"--filesystem={program}:ro"]
        inside(self.home, program, options=lent)
        inside(self.home, program, options=lent + WITHOUT["ipc"], code=1)

    def test_dri_is_the_graphics_device(self):
        # No real one is here: a device file by that name, in the private /dev of this test.
        self.assertIn("renderD128", inside(self.home, "ls", "/dev/dri"))
        self.assertNotIn("renderD128", inside(self.home, "sh", "-c", "ls /dev/dri 2>/dev/null",
                                              options=WITHOUT["dri"], code=None))

    def test_the_files_of_the_user_are_out_of_reach(self):
        self.home.file("private.txt", "not for apps")
        for place in (self.home.path, "/etc/shadow", "/root"):
            self.assertNotIn("private", inside(self.home, "sh", "-c", f"ls -A {place} 2>&1",
                                               code=None))
        self.assertNotIn("not for apps", inside(
            self.home, "sh", "-c", f"cat {self.home.path}/private.txt 2>&1", code=None))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    socket.setdefaulttimeout(60)
    desktop.main()
