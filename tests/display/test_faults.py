#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journeys with a real engine whose disk is full, a gateway that is killed and comes back, and a
listener that never answers."""

import ctypes
import os
import socket
import time

import desktop
import frame

NEW_MOUNTS = 0x00020000
PRIVATE = 0x40000 | 0x4000  # MS_PRIVATE | MS_REC
LIBC = ctypes.CDLL(None, use_errno=True)


class FullDisk(desktop.Case):
    def small_disk(self, size):
        """A folder on a disk of its own that only this process and its children see."""
        folder = self.home.file("small")
        os.mkdir(folder)
        if LIBC.unshare(NEW_MOUNTS) != 0 or LIBC.mount(None, b"/", None, PRIVATE, None) != 0 \
                or LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={size}".encode()) != 0:
            self.cannot("no file systems can be mounted here")
        self.addCleanup(LIBC.umount2, folder.encode(), 2)
        return folder

    @staticmethod
    def fill(folder):
        with open(os.path.join(folder, "fill"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def test_answers_wait_for_space(self):
        folder = self.small_disk("3m")
        mock = self.mock(providers={"slow": {"latency": 0.3, "ghosts": False}})
        window = self.open("--data-dir", folder,
                           config=self.lanes(mock, slow={"max-concurrency": 1}))
        window.run_lines(*[f"task {i}," for i in range(12)])
        window.wait_row("task 0,", "Completed")
        self.fill(folder)
        window.wait_words("no space left to store answers", "Retry Now")
        os.unlink(os.path.join(folder, "fill"))
        start = time.monotonic()
        window.retry_now("no space left")
        window.until(lambda: not window.says("no space left"), "the end of the banner")
        self.diagnose(f"goes on after {time.monotonic() - start:.1f} s")
        window.wait_row("task 11,", "Completed")
        # Nothing was bought twice.
        self.assertEqual(max(mock.bought().values()), 1)

    def test_a_start_on_a_full_disk(self):
        folder = self.small_disk("64k")
        self.fill(folder)
        window = self.open("--data-dir", folder, env={"LANGUAGE": "zh_CN"})
        window.wait_words("磁盘已满")
        os.unlink(os.path.join(folder, "fill"))
        LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", 32, b"size=8m")  # MS_REMOUNT
        window.press("重新启动")
        window.wait_words("内置网关")

    def test_a_new_file_that_cannot_be_saved_is_not_left_behind(self):
        mock = self.mock(providers={"slow": {"latency": 0.1, "ghosts": False}})
        folder = self.small_disk("64k")
        window = self.open(config=self.lanes(mock, slow={}))
        window.run_task("first")
        window.wait_row("first", "Completed")
        self.fill(folder)
        window.key("ctrl+s")
        window.until(lambda: window.find("text", "Name") or window.find("text", "文件名"),
                     "the file chooser")
        window.keys(os.path.join(folder, "results.json"))
        window.type_keys("Return")
        window.wait_words("Results Not Saved")
        self.assertEqual(os.listdir(folder), ["fill"])


class Lost(desktop.Case):
    def test_a_gateway_that_is_killed_comes_back(self):
        mock = self.mock(providers={"slow": {"latency": 1.5, "ghosts": False}})
        config = self.lanes(mock, slow={"max-concurrency": 1})
        port = frame.free_port()
        daemon = self.daemon(config=config, port=port)
        window = self.open("--gateway", daemon.url)
        window.run_lines("first,", "second,", "third,")
        window.wait_row("first,", "Completed")
        daemon.kill()
        window.wait_words("Can’t reach the gateway")
        # What is known stays on the screen, and what is typed in the field.
        window.wait_rows(3)
        window.type_task("typed meanwhile")
        self.daemon(port=port)
        window.retry_now("Can’t reach")
        window.wait_words("Connected again. 2 tasks resumed")
        window.until(lambda: not window.says("Can’t reach"), "the end of the banner")
        window.wait_row("third,", "Completed")
        window.wait_typed("typed meanwhile")
        window.press("_Run")
        window.wait_row("typed meanwhile", "Completed")

    def test_a_listener_that_never_answers_holds_nobody_up(self):
        listener = socket.create_server(("127.0.0.1", desktop.DEFAULT_PORT))
        self.addCleanup(listener.close)
        start = time.monotonic()
        window = self.open()
        window.wait_words("Built-in gateway")
        self.diagnose(f"{time.monotonic() - start:.1f} s to the built-in gateway")
        window.run_task("first")
        window.wait_row("first", "Completed")


if __name__ == "__main__":
    desktop.main()
