#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys through the window's life: close, quit, going on without a window, after a crash."""

import json
import time
import urllib.request

import desktop
import frame


class Ending(desktop.Case):
    def assert_gone(self, window):
        self.assertEqual(window.wait(), 0)
        self.assertEqual(window.members(), [])
        self.assertFalse(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))

    def open_idle(self):
        window = self.open()
        window.wait_words("Built-in gateway")
        self.assertTrue(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        return window

    def test_quit_leaves_nothing(self):
        window = self.open_idle()
        window.key("ctrl+q")
        self.assert_gone(window)

    def test_close_leaves_nothing(self):
        window = self.open_idle()
        window.press("Close")
        self.assert_gone(window)

    def test_a_signal_leaves_nothing(self):
        window = self.open_idle()
        window.child.terminate()
        self.assert_gone(window)

    def open_running(self, latency=600):
        mock = self.mock(providers={"slow": {"latency": latency, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"max-concurrency": 1}))
        window.run_lines("first", "second")
        window.wait_row("first", "Running")
        window.wait_row("second,", "Queued")
        return window

    def test_close_with_work_left_asks_and_stops(self):
        window = self.open_running()
        window.press("Close")
        window.wait_words("Keep Running in the Background?", "1 task is running.", "1 is queued.")
        window.press("Cancel")
        window.until(lambda: not window.says("Keep Running in the Background?"), "the window")
        window.key("ctrl+w")
        window.wait_words("Keep Running in the Background?")
        start = time.monotonic()
        window.press("Stop and Close")
        self.assert_gone(window)
        self.diagnose(f"stopped in {time.monotonic() - start:.1f} s")

    def test_the_question_goes_when_its_reason_has_gone(self):
        window = self.open_running()
        window.press("Close")
        window.wait_words("1 task is running.", "1 is queued.")
        # Somebody else ends what it is about.
        address = f"http://127.0.0.1:{desktop.DEFAULT_PORT}"
        with urllib.request.urlopen(address + "/projects") as answer:
            projects = json.load(answer)["projects"]
        for project in projects:
            urllib.request.urlopen(urllib.request.Request(
                f"{address}/projects/{project['project_id']}/cancel", method="POST")).close()
        window.until(lambda: not window.says("Keep Running in the Background?"), "the window")
        window.wait_row("first", "Cancelled")

    def test_quit_cuts_calls_off_only_when_told_to(self):
        window = self.open_running()
        window.key("ctrl+q")
        window.wait_words("Stop Running Tasks and Quit?", "1 task is running.", "1 is queued.")
        self.assertFalse(window.says("Keep Running"))
        window.press("Cancel")
        window.until(lambda: not window.says("and Quit?"), "the window")
        window.key("ctrl+q")
        window.press("Stop and Quit")
        self.assert_gone(window)

    def test_closing_goes_as_it_is_set(self):
        self.prefer(on_close="'keep'")
        window = self.open_running()
        window.press("Close")
        self.wait_hidden(window)
        self.prefer(on_close="'stop'")
        self.assertEqual(self.start_again(), 0)
        window.window_id()
        window.wait_row("first", "Running")
        window.press("Close")
        self.assert_gone(window)

    def wait_hidden(self, window):
        frame.wait_for(lambda: not desktop.subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(window.pid)],
            capture_output=True, check=False).stdout.strip(), "the window to go")

    def test_keep_running_and_come_back(self):
        window = self.open_running()
        window.press("Close")
        window.press("Keep Running")
        self.wait_hidden(window)
        self.assertTrue(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))
        self.assertEqual(self.start_again(), 0)
        window.window_id()
        window.wait_row("first", "Running")

    def test_in_the_background_it_ends_by_itself_when_all_is_done(self):
        window = self.open_running(latency=2)
        window.press("Close")
        window.press("Keep Running")
        self.assertEqual(window.wait(), 0)
        self.assert_gone(window)
        again = self.open()
        again.wait_row("first", "Completed")
        again.wait_row("second,", "Completed")

    def open_waiting(self):
        """A window whose second task waits for the limit per minute, with nothing running."""
        mock = self.mock(providers={"slow": {"latency": 0.1, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"requests-per-minute": 1}))
        window.run_lines("first", "second")
        window.wait_row("first", "Completed")
        window.wait_row("second,")
        return window

    def test_work_that_only_waits_is_asked_about(self):
        window = self.open_waiting()
        window.press("Close")
        window.wait_words("Keep Running in the Background?", "1 task is queued.")
        window.press("Keep Running")
        self.wait_hidden(window)
        self.assertEqual(self.start_again(), 0)
        window.window_id()
        # Quitting asks nothing: no call is cut off, and the task is kept.
        window.key("ctrl+q")
        self.assert_gone(window)
        again = self.open()
        again.wait_row("second,")
        # What the user paused is no work that goes on.
        again.key("ctrl+shift+p")
        again.wait_words("Queue paused")
        again.press("Close")
        self.assert_gone(again)

    def test_work_that_only_waits_goes_on_as_it_is_set(self):
        self.prefer(on_close="'keep'")
        window = self.open_waiting()
        window.press("Close")
        self.wait_hidden(window)
        self.assertTrue(frame.is_listening("127.0.0.1", desktop.DEFAULT_PORT))

    def test_a_signal_ends_what_runs_in_time(self):
        window = self.open_running()
        start = time.monotonic()
        window.child.terminate()
        self.assert_gone(window)
        self.diagnose(f"stopped in {time.monotonic() - start:.1f} s")

    def test_the_question_after_a_crash_goes_with_any_resume(self):
        window = self.open_running()
        window.kill()
        again = self.open()
        again.wait_words("1 task was interrupted last time")
        again.wait_row("first", "Interrupted")
        # By the button of the header.
        again.key("ctrl+shift+p")
        again.until(lambda: not again.says("interrupted last time"), "the end of the banner")
        again.wait_row("first", "Running")

    def test_what_a_crash_interrupted_is_resumed_by_the_user(self):
        window = self.open_running()
        window.kill()
        again = self.open()
        again.wait_words("1 task was interrupted last time")
        again.wait_row("first", "Interrupted")
        again.press("Show Tasks")
        again.wait_words("0 tasks were lost.", "1 call was sent", "slow · sent")
        again.press("Send Again")
        again.until(lambda: not again.says("interrupted last time"), "the end of the banner")
        again.wait_row("first", "Running")


if __name__ == "__main__":
    desktop.main()
