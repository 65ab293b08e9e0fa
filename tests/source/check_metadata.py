#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what stores and desktops read to the rules that their validators do not know: pictures that
exist, one list of file types, the length of the summary, icons that are square, actions that are.

  tests/source/check_metadata.py METAINFO DESKTOP-FILE, as built"""

import configparser
import pathlib
import re
import struct
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]


def metainfo():
    return ET.parse(sys.argv[1]).getroot()


def desktop_file():
    parser = configparser.RawConfigParser(strict=True, interpolation=None)
    parser.optionxform = str
    parser.read(sys.argv[2], encoding="utf-8")
    return parser


def untranslated(nodes):
    return [node for node in nodes
            if node.get("{http://www.w3.org/XML/1998/namespace}lang") is None]


def check_pictures():
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text(
        encoding="utf-8")).group(1)
    shots = metainfo().findall("screenshots/screenshot")
    if len(shots) < 3 or shots[0].get("type") != "default":
        yield "at least three pictures, the first one the default"
    for shot in shots:
        url = shot.find("image").text
        found = re.match(r"https://\S+/v([^/]+)/(docs/screenshots/[a-z_A-Z]+\.png)$", url)
        if not found or found.group(1) != version:
            yield f"{url} is not of the tag of this version"
            continue
        path = ROOT / found.group(2)
        if not path.exists():
            yield f"{found.group(2)} does not exist"
            continue
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        if width > 1000 or height > 700:
            yield f"{path.name} is {width}x{height}, of at most 1000x700"
        for caption in untranslated(shot.findall("caption")):
            if not 10 <= len(caption.text) <= 50 or caption.text.endswith("."):
                yield f"the caption “{caption.text}” is 10 to 50 letters, without a full stop"


def check_words():
    root = metainfo()
    for summary in untranslated(root.findall("summary")):
        if not 10 <= len(summary.text) <= 35 or summary.text.endswith("."):
            yield f"the summary “{summary.text}” has 10 to 35 letters, and no full stop"
    for language in (ROOT / "po" / "LINGUAS").read_text(encoding="utf-8").split():
        said = root.findall("summary") + root.findall("description/p") \
            + root.findall("releases/release/description/p")
        there = [node.get("{http://www.w3.org/XML/1998/namespace}lang") for node in said]
        if there.count(language) != len(untranslated(said)):
            yield f"the description is not all in {language}"
        if f"Comment[{language}]" not in desktop_file()["Desktop Entry"]:
            yield f"the desktop file has no comment in {language}"
    if root.findall("releases/release")[0].get("version") not in (ROOT / "meson.build").read_text(
            encoding="utf-8"):
        yield "the newest release is not this version"
    for name in ("developer", "content_rating", "branding", "supports", "requires", "launchable",
                 "translation", "provides", "url"):
        if root.find(name) is None:
            yield f"<{name}> is missing"


def check_types():
    """What the launcher opens, the store tells and the import dialog reads are the same files."""
    entry = desktop_file()["Desktop Entry"]
    launcher = set(filter(None, entry["MimeType"].split(";")))
    store = {node.text for node in metainfo().findall("provides/mediatype")}
    for name in sorted(launcher ^ store):
        yield f"{name} is only in one of desktop file and metainfo"


def check_actions():
    parser = desktop_file()
    source = (ROOT / "src" / "ui" / "gw-application.c").read_text(encoding="utf-8")
    for name in filter(None, parser["Desktop Entry"]["Actions"].split(";")):
        if f'.name = "{name}"' not in source:
            yield f"the application has no action {name}"
        if f"Desktop Action {name}" not in parser:
            yield f"the desktop file has no group for {name}"
    if parser["Desktop Entry"].get("DBusActivatable") != "true":
        yield "the desktop file is not activated by D-Bus"


def check_icons():
    folder = ROOT / "data" / "icons" / "hicolor"
    names = ["scalable/apps/io.github.gangway.Gangway.svg",
             "scalable/apps/io.github.gangway.Gangway.Devel.svg",
             "symbolic/apps/io.github.gangway.Gangway-symbolic.svg"]
    for path in [folder / name for name in names] + sorted(
            (ROOT / "data" / "icons" / "status").glob("*.svg")):
        root = ET.parse(path).getroot()
        size = "128" if "scalable" in str(path) else "16"
        if [root.get("width"), root.get("height"), root.get("viewBox")] != [
                size, size, f"0 0 {size} {size}"]:
            yield f"{path.name} is not drawn on a grid of {size}"
        if size == "128" and "filter" in path.read_text(encoding="utf-8"):
            yield f"{path.name} has a shadow of its own"


def anchors(text):
    """What a heading is called in a link, as GitHub makes it."""
    return {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in re.sub(r"```.*?```", "", text, flags=re.DOTALL).splitlines()
            if line.startswith("#")}


def check_links():
    """Every picture and page that the documents name is there."""
    for path in [ROOT / "README.md", ROOT / "HACKING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^()\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = path.parent / name if name else path
            if not other.exists():
                yield f"{path.name} names {target}, which is not there"
            elif anchor and anchor not in anchors(other.read_text(encoding="utf-8")):
                yield f"{path.name} names {target}, and there is no such heading"


CHECKS = [check_links, check_pictures, check_words, check_types, check_actions, check_icons]


def main():
    failed = False
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        faults = list(check())
        for fault in faults:
            print("# " + fault)
        failed = failed or bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {check.__name__.removeprefix('check_')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
