#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the compose box and the empty page: how tasks get in, and where they run."""

import http.server
import json
import os
import threading

import desktop
import frame

LINES = [f"Summarise chapter {number}" for number in range(1, 38)]


class Typing(desktop.Case):
    def test_ctrl_enter_runs_and_enter_does_not(self):
        window = self.open()
        window.wait_words("Run Many Tasks", "Built-in gateway", "practice answers")
        window.type_task("first line")
        window.wait_button("_Run")
        window.click(window.composer())
        window.key("ctrl+End", "Return")
        window.until(lambda: window.typed() == "first line\n", "a new line")
        window.keys("second line")
        window.until(lambda: window.typed() == "first line\nsecond line", "two lines")
        self.assertEqual(window.row_names(), [])
        # Typed lines are one task unless the user splits them.
        window.wait_words("Split into 2 tasks")
        self.assertFalse(window.says("pasted"))
        window.key("ctrl+Return")
        window.wait_row("first line", "Completed")
        window.wait_result("first line\nsecond line")
        window.wait_typed("")
        # What has gone can be had back, to be changed and run again.
        window.click(window.composer())
        window.key("ctrl+z")
        window.until(lambda: window.typed() == "first line\nsecond line", "the text again")
        window.wait_words("Split into 2 tasks")
        self.assertFalse(window.says("pasted"), "undo asks nothing")
        window.toggle("_Split into 2 tasks")
        window.press("_Run 2")
        window.wait_row("second line", "Completed")
        # They are a project of their own, and that is shown.
        window.wait_rows(2)

    def test_the_text_survives_a_crash_and_a_lost_gateway(self):
        port = frame.free_port()
        window = self.open("--gateway", f"127.0.0.1:{port}")
        window.wait_words("Can’t reach the gateway")
        window.run_task("keep me")
        window.wait_words("your text is kept")
        window.wait_typed("keep me")
        draft = os.path.join(self.home.path, "state", "gangway", "draft.txt")
        frame.wait_for(lambda: os.path.exists(draft), "the draft")
        window.kill()
        again = self.open()
        again.until(lambda: again.typed() == "keep me", "the text of last time")
        again.press("_Run")
        again.wait_row("keep me", "Completed")
        again.until(lambda: not os.path.exists(draft), "the end of the draft")


class Pasting(desktop.Case):
    def test_37_lines_are_asked_about_added_and_run(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        window.type_task("before")
        self.clipboard("\r\n\r\n".join(LINES))
        window.click(window.composer())
        window.key("ctrl+End", "Return", "ctrl+v")
        window.wait_words("37 lines pasted", "Keep as One")
        # Asked by Run as well, and nothing is submitted before the answer.
        window.key("ctrl+Return")
        window.wait_button("_Run as 37 Tasks")
        self.assertEqual(window.row_names(), [])
        window.click(window.composer())
        window.key("ctrl+End")
        window.keys("x")
        window.press("Add as 37 Tasks")
        window.press("Undo")
        window.wait_words("Run Many Tasks")
        # What was typed stays.
        self.assertEqual(window.typed().strip(), "before")

        window.type_task("\n".join(LINES))
        window.press("Add as 37 Tasks")
        # Adding runs nothing.
        window.wait_words("All 37")
        window.wait_button("_Run 37")
        self.assertTrue(window.says("Completed 0"))
        self.assertFalse(window.says("Queue paused"), "nobody paused anything")
        window.press("_Run 37")
        window.wait_words("All 37", "Completed 37")

    def test_several_lines_kept_as_one(self):
        window = self.open()
        window.type_task("first line\nsecond line")
        window.wait_words("2 lines pasted")
        window.press("Keep as One")
        self.assertEqual(window.row_names(), [])
        window.wait_words("Split into 2 tasks")
        window.press("_Run")
        window.wait_row("first line", "Completed")
        window.wait_result("first line\nsecond line")
        window.wait_rows(1)

    def test_a_hundred_thousand_lines_are_kept_aside(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        text = "\n".join(f"task {number}" for number in range(100_000))
        window.type_task(text)
        window.wait_words("100000 lines pasted")
        window.wait_typed("")
        aside = os.path.join(self.home.path, "state", "gangway", "draft-pasted.txt")
        frame.wait_for(lambda: os.path.exists(aside) and os.path.getsize(aside) >= len(text),
                       "the draft")
        window.kill()
        again = self.open()
        again.wait_words("100000 lines pasted")
        again.press("Add as 100000 Tasks")
        again.wait_words("All 100000", patience=180)
        again.until(lambda: not again.says("lines pasted"), "the end of the bar")
        again.until(lambda: not os.path.exists(aside), "the end of the draft")


class LocalServer(http.server.BaseHTTPRequestHandler):
    """Ollama, as far as its list of models and one answer."""

    def log_message(self, *args):
        pass

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": name, "object": "model"} for name in
                                                ("llama3.2", "qwen2.5", "mistral")]})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        asked = json.loads(self.rfile.read(length))
        self.answer({"id": "x", "object": "chat.completion", "model": asked["model"],
                     "choices": [{"index": 0, "finish_reason": "stop",
                                  "message": {"role": "assistant",
                                              "content": "I am " + asked["model"]}}],
                     "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})


class Providers(desktop.Case):
    def serve(self, port):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), LocalServer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def test_what_is_found_is_offered_used_and_chosen(self):
        self.serve(11434)
        mock = self.mock(providers={"good": {}})
        window = self.open(config=self.lanes(mock, good={"enabled": "false"}))
        window.wait_words("Found on This Computer", "Ollama", "3 models")
        window.press("Use It")
        window.wait_words("In use")
        window.until(lambda: not window.says("Without a provider"), "the end of the note")

        # A model of it, and it is remembered.
        window.open_choice()
        window.wait_words("Automatic", "Switched off")
        window.activate_choice("qwen2.5")
        window.wait_node("push button", "Ollama · qwen2.5")
        window.run_task("Who are you?")
        window.wait_row("Who are you?", "Completed")
        window.wait_result("I am qwen2.5")
        window.key("ctrl+q")
        self.assertEqual(window.wait(), 0)
        again = self.open()
        again.wait_node("push button", "Ollama · qwen2.5")
        # Several, estimated before they run.
        again.type_task("one\ntwo")
        again.wait_words("2 tasks:", "on 1 provider")

    def test_a_provider_that_is_gone_is_said_with_the_text_kept(self):
        self.home.file("config/glib-2.0/settings/keyfile",
                       "[io/github/gangway/Gangway]\nprovider='nobody'\n")
        window = self.open()
        window.wait_words("Built-in gateway")
        window.run_task("for nobody")
        window.wait_words("There is no provider “nobody” here", "your text is kept")
        window.wait_typed("for nobody")
        window.open_choice()
        window.activate_choice("Automatic")
        window.until(lambda: not window.says("your text is kept"), "the end of the error")
        window.press("_Run")
        window.wait_row("for nobody", "Completed")


if __name__ == "__main__":
    desktop.main()
