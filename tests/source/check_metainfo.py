#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the metainfo to all that AppStream's validator knows, as strictly as it can be asked.

  tests/source/check_metainfo.py APPSTREAMCLI METAINFO, as built

Before 1.0 it does not know <developer>, which stores ask for since, but the same as <developer_name>:
such a validator is given a copy that has the old name, and judges all the rest as it is."""

import pathlib
import re
import subprocess
import sys
import tempfile


def run(*arguments):
    return subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, check=False)


def with_old_name(text):
    text, count = re.subn(r"<developer id=\"[^\"]+\">\s*<name[^>]*>([^<]*)</name>\s*</developer>",
                          r"<developer_name>\1</developer_name>", text)
    assert count == 1, "one developer, with an id and a name"
    return text


def main():
    metainfo = pathlib.Path(sys.argv[2])
    text = metainfo.read_text(encoding="utf-8")
    version = re.search(r"(\d+)\.\d+", run("--version").stdout)
    if int(version.group(1)) < 1:
        text = with_old_name(text)
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / metainfo.name
        copy.write_text(text, encoding="utf-8")
        done = run("validate", "--strict", "--no-net", "--explain", str(copy))
    print(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
