#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running task has been answered so far, in the pane of the task."""

import desktop

LONG = "This answer is written slowly, word by word, and is **whole** only at its end. " * 6


class Streaming(desktop.Case):
    def so_far(self, window):
        """The text that stands under "Answer So Far", if any does."""
        node = window.find("text", "Answer So Far")
        return desktop.text_of(node) if node is not None else ""

    def test_the_answer_is_seen_while_it_is_written(self):
        mock = self.mock(providers={
            "slow": {"latency": 12.0, "contents": {
                "a story": {"do": "stream", "content": LONG.strip(), "piece": 6},
                "no end": {"do": "stream", "content": LONG, "piece": 6, "stop_after": 6}}},
            "whole": {"latency": 600, "ghosts": False}})
        window = self.open(config=self.lanes(mock, slow={"stream": "true"}))
        window.run_task("Tell a story, please: a story")
        window.pick("a story")

        # It grows at its end, and is not the result.
        first = window.until(lambda: self.so_far(window), "the begin of the answer")
        self.assertTrue(LONG.startswith(first), first)
        more = window.until(lambda: len(self.so_far(window)) > len(first) and self.so_far(window),
                            "more of the answer")
        self.assertTrue(LONG.startswith(more), more)
        self.assertEqual(window.result_parts(), [])

        # The result takes its place, rendered.
        self.assertIn("and is whole only", window.result())
        window.until(lambda: window.find("text", "Answer So Far") is None, "no text so far")

        # A task that is cancelled in the middle has no answer at all.
        window.run_task("no end")
        window.pick("no end")
        window.until(lambda: self.so_far(window), "the begin of the answer")
        window.press("Cancel")
        window.until(lambda: window.find("text", "Answer So Far") is None, "no text so far")
        self.assertEqual(window.result_parts(), [])


if __name__ == "__main__":
    desktop.main()
