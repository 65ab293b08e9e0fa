#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run through every view. Built with AddressSanitizer it fails on whatever is not given back at the
end, a window, a task item or a session among them; in an ordinary build, on a critical message."""

import os
import time

import desktop

HERE = os.path.dirname(os.path.abspath(__file__))


TIMES = int(os.environ.get("GW_TEST_TIMES", "2"))  # 100, by hand, is the long form


class Leaks(desktop.Case):
    def open_and_close(self, window, key, words=""):
        before = window.app.count_children()
        window.key(key)
        window.until(lambda: window.app.count_children() > before, f"what {key} opens")
        window.wait_words(words)
        # Until it has gone, keys would go to it.
        window.until(lambda: window.app.count_children() == before
                     or window.type_keys("Escape") or time.sleep(0.3), f"the end of {key}")

    def test_open_every_view_run_and_close(self):
        window = self.open(env={
            "ASAN_OPTIONS": "detect_leaks=1:exitcode=86:fast_unwind_on_malloc=0",
            "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + os.path.join(HERE, "lsan.supp")})
        window.run_task("one task")
        window.wait_row("one task", "Completed")
        self.clipboard("first\nsecond\nthird")
        window.key("ctrl+shift+v")
        window.press("Add as 3 Tasks")
        window.press("_Run 3")
        window.wait_row("third", "Completed")
        window.key("F9")
        window.wait_words("low confidence")
        window.key("F9")
        for key, words in (("ctrl+comma", "Providers"), ("ctrl+question", "Keyboard"),
                           ("F1", "Help")):
            self.open_and_close(window, key, words)
        window.key("ctrl+f")
        window.key("Escape")
        # Whatever is opened can be opened as often as one likes.
        for _ in range(TIMES):
            for key in ("ctrl+comma", "ctrl+question", "F1", "ctrl+o", "ctrl+s"):
                self.open_and_close(window, key)
        window.key("ctrl+q")
        self.assertEqual(window.wait(300), 0, window.stderr[-4000:])


if __name__ == "__main__":
    desktop.main()
