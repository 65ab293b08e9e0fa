#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the manual pages and the completions to the programs: every option of --help is in the page
and in each completion, and the other way round; bash completes as it should, in a real shell.

  tests/source/check_manual.py BUILD-DIR [--no-window]"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
PROGRAMS = {"gangway": ("src/ui/gangway", "1"), "gangway-batch": ("src/tools/gangway-batch", "1"),
            "gangwayd": ("src/tools/gangwayd", "8")}
if "--no-window" in sys.argv:
    del PROGRAMS["gangway"]
# The toolkit's own: in the page, of no use to somebody who types.
QUIET = {"--help-all", "--help-gapplication", "--gapplication-service"}
PATIENCE = 60


def program_options(name):
    env = {key: value for key, value in os.environ.items()
           if key not in ("DISPLAY", "WAYLAND_DISPLAY", "LANGUAGE")}
    said = subprocess.run([str(BUILD / PROGRAMS[name][0]), "--help-all"
                           if name == "gangway" else "--help"], capture_output=True, text=True,
                          env={**env, "LC_ALL": "C.UTF-8"}, check=True, timeout=PATIENCE).stdout
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z])(?=[=,\s])",
                          "\n".join(line for line in said.splitlines()
                                    if line.startswith("  -"))))


def page(name, section):
    return ROOT / "data" / "man" / f"{name}.{section}"


def page_options(path):
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(".It Fl"):
            for word in re.findall(r"(?:Fl|,) +(-?[a-z][a-z-]*)", line.replace("Fl ", "Fl  ")):
                found.add("-" + word)
    return found


def check_pages():
    for name, (_, section) in PROGRAMS.items():
        real, told = program_options(name), page_options(page(name, section))
        for option in sorted(real - told):
            yield f"{name}.{section} lacks {option}"
        for option in sorted(told - real):
            yield f"{name}.{section} has {option}, which {name} has not"


def check_configuration():
    source = (ROOT / "src" / "backend" / "gw-config.c").read_text(encoding="utf-8")
    head = source[:source.index("preset_keys")]
    real = set(re.findall(r'\{ "[a-z]+", "([a-z-]+)" \}', head))
    provider = re.search(r"provider_keys\[\] = \{(.*?)\}", source, re.DOTALL)
    real |= set(re.findall(r'"([a-z-]+)"', provider.group(1))) if provider else set()
    told = set(re.findall(r"^\.It Cm ([a-z-]+)", page("gangway.conf", "5").read_text(
        encoding="utf-8"), re.MULTILINE))
    if len(real) < 15:
        yield "the keys are not found in gw-config.c any more"
    for key in sorted(real - told):
        yield f"gangway.conf.5 lacks {key}"
    for key in sorted(told - real):
        yield f"gangway.conf.5 has {key}, which no configuration may have"


def check_lint():
    pages = sorted((ROOT / "data" / "man").glob("*.[1-8]"))
    if len(pages) != 4:
        yield f"there are {len(pages)} pages"
    for path in pages:
        said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(path)],
                              capture_output=True, text=True, check=False)
        yield from (said.stdout + said.stderr).splitlines()


def completion_options(shell, name):
    text = (ROOT / "data" / "completions" / f"gangway.{shell}").read_text(encoding="utf-8")
    if shell == "bash":
        block = re.search(rf"^        {name}\)\n\s+options='([^']*)'", text, re.MULTILINE).group(1)
        return {word.rstrip("=") for word in block.split()}
    if shell == "fish":
        lines = re.findall(rf"^complete -c {name} (.*)$", text, re.MULTILINE)
        return {"--" + word for line in lines for word in re.findall(r"-l ([a-z-]+)", line)} | \
            {"-" + word for line in lines for word in re.findall(r"-s ([a-z])", line)}
    block = re.search(rf"^    {name}\)\n(.*?)^        ;;", text, re.MULTILINE | re.DOTALL).group(1)
    block = re.sub(r"\[[^\]]*\]", "[", re.sub(r"'\([^)]*\)", "'", block))
    return set(re.findall(r"--[a-z][a-z-]*|(?<=[{,])-[a-z](?![a-z])", block))


def check_completions():
    for name in PROGRAMS:
        real = set(program_options(name)) - QUIET
        for shell in ("bash", "fish", "zsh"):
            told = completion_options(shell, name)
            for option in sorted(real - told):
                yield f"{shell}: {name} has {option}"
            for option in sorted(told - real):
                yield f"{shell}: {name} has no {option}"


class Shell:
    """An interactive bash on a terminal of its own."""

    def __init__(self, folder):
        for name in PROGRAMS:
            pathlib.Path(folder, name).write_text('#!/bin/sh\nprintf "<%s>" "$@"; echo "#end#"\n',
                                                  encoding="utf-8")
            os.chmod(os.path.join(folder, name), 0o755)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update({"PATH": folder + ":" + os.environ["PATH"], "PS1": "$ ",
                               "HOME": folder, "TERM": "dumb", "INPUTRC": "/dev/null",
                               "XDG_CONFIG_HOME": folder, "LC_ALL": "C.UTF-8", "COLUMNS": "400"})
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.seen = ""
        self.send("stty cols 400; source '%s'; echo re''ady\r"
                  % (BUILD / "data" / "gangway.bash"))
        self.until("ready")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def until(self, mark):
        end = time.monotonic() + PATIENCE
        while mark not in self.seen:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{mark!r} was not seen in {self.seen!r}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        found, self.seen = self.seen.split(mark, 1)
        return found

    def run(self, line):
        """What a program is called with when @line is typed, its tabs being tabs."""
        self.send(line + "\r")
        found = self.until("#end#")
        return re.findall(r"<([^<>]*)>", found)

    def stop(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def check_bash():
    cases = {
        "gangway-batch --ser\t": ["--serial"],
        "gangway-batch --format=js\tl\t": ["--format=jsonl"],
        "gangway-batch --format c\t": ["--format", "csv"],
        "gangway-batch --outp\tx.csv": ["--output=x.csv"],
        "gangway-batch ta\t": ["tasks.txt"],
        "gangway-batch -q\t": ["-q"],
        "gangway-batch -o ta\t.json": ["-o", "ta.json"],
        "gangway-batch --provider mi\t": ["--provider", "mine"],
        "gangway-batch fol\tpeo\t": ["folder/people of today.csv"],
        "gangwayd --log-level d\t": ["--log-level", "debug"],
        "gangwayd --workers\t": ["--workers-only"],
    }
    if "gangway" in PROGRAMS:
        cases["gangway --data-dir=fol\t"] = ["--data-dir=folder/"]
    folder = tempfile.mkdtemp(prefix="gangway-completion-")
    try:
        for name in ("tasks.txt", "tables.png", "folder/people of today.csv",
                     "folder/people.svg"):
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text("", encoding="utf-8")
        pathlib.Path(folder, "gangway").mkdir(exist_ok=True)
        pathlib.Path(folder, "gangway", "gangway.conf").write_text("[provider mine]\n",
                                                                   encoding="utf-8")
        programs = os.path.join(folder, "bin")
        os.mkdir(programs)
        shell = Shell(programs)
        try:
            shell.send(f"cd {folder}; XDG_CONFIG_HOME={folder}\r")
            for line, wanted in cases.items():
                found = shell.run(line)
                if found != wanted:
                    yield f"{line!r} became {found}, not {wanted}"
        finally:
            shell.stop()
    finally:
        shutil.rmtree(folder)


def check_fish():
    """In a real shell as well, where there is one."""
    if shutil.which("fish") is None:
        print("# fish is not installed: what it offers is not looked at")
        return
    with tempfile.TemporaryDirectory(prefix="gangway-completion-") as folder:
        for name in ("tasks.txt", "tables.png", "talks/people.csv"):
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text("", encoding="utf-8")
        for line, wanted in {"gangway-batch ta": {"talks/", "tasks.txt"},
                             "gangway-batch --format js": {"json", "jsonl"},
                             "gangway-batch -o ta": {"tables.png", "talks/", "tasks.txt"},
                             "gangway-batch --provider=mi": {"--provider=mine"},
                             "gangwayd ta": set()}.items():
            pathlib.Path(folder, "gangway").mkdir(exist_ok=True)
            pathlib.Path(folder, "gangway", "gangway.conf").write_text("[provider mine]\n",
                                                                       encoding="utf-8")
            said = subprocess.run(
                ["fish", "--no-config", "--command",
                 f"source '{BUILD}/data/gangway.fish'; complete -C '{line}'"], cwd=folder,
                env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder}, check=True,
                capture_output=True, text=True, timeout=PATIENCE).stdout
            found = {row.partition("\t")[0] for row in said.splitlines()}
            if found != wanted:
                yield f"{line!r} is offered {sorted(found)}, not {sorted(wanted)}"


CHECKS = [check_pages, check_configuration, check_lint, check_completions, check_bash, check_fish]


def main():
    failed = False
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        faults = list(check())
        for fault in faults:
            print("# " + fault)
        failed = failed or bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {check.__name__.removeprefix('check_')}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
