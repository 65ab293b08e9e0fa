#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run through every view. Built with AddressSanitizer it fails on whatever is not given back at the
end, a window, a task item or a session among them; in an ordinary build, on a critical message."""

import os

import desktop

HERE = os.path.dirname(os.path.abspath(__file__))


class Leaks(desktop.Case):
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
            window.key(key)
            window.wait_words(words)
            window.key("Escape")
        window.key("ctrl+f")
        window.key("Escape")
        window.key("ctrl+q")
        self.assertEqual(window.wait(120), 0, window.stderr[-4000:])


if __name__ == "__main__":
    desktop.main()
