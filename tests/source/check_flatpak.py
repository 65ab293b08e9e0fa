#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the Flatpak manifests to each other and to what stores ask of a manifest, without building
anything: the rules of Flathub's linter that concern this app. The linter itself is for a person to run
before a release."""

import copy
import fnmatch
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
APP = "io.github.gangway.Gangway"
PERMISSIONS = ["--socket=wayland", "--socket=fallback-x11", "--share=ipc", "--device=dri",
               "--share=network"]
# Before, and in 1.4.0, replies nested deep enough overflow the stack.
HIREDIS = [(1, 3, 1), (1, 4, 1)]
FOLDERS = ("home", "host", "host-os", "host-etc", "xdg-config", "xdg-data", "xdg-cache", "/")


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"named twice: {names}"
    return dict(pairs)


def load(name):
    text = (ROOT / "flatpak" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text, object_pairs_hook=unique)


def check_arguments(manifest):
    app, arguments = manifest["id"], manifest["finish-args"]
    for argument in arguments:
        option, _, value = argument.partition("=")
        if option == "--filesystem":
            place = value.partition(":")[0].rstrip("/") or "/"
            if place.split("/")[0] in FOLDERS or place in FOLDERS or value.startswith("~"):
                yield f"{argument}: more of the user's files than the app is given by portals"
        if option in ("--talk-name", "--system-talk-name") and re.match(
                r"org\.freedesktop\.(Flatpak|portal|impl\.portal)\b", value):
            yield f"{argument}: portals need no permission, and Flatpak's own is a way out"
        if option == "--own-name" and (value == app or value.startswith(app + ".")):
            yield f"{argument}: an app has its own name without asking"
        if argument in ("--socket=session-bus", "--socket=system-bus", "--device=all",
                        "--socket=x11"):
            yield f"{argument}: far too much"
        if option == "--env" and value.startswith("G_DEBUG"):
            yield f"{argument}: not in what is shipped"
    displays = {"--socket=wayland", "--socket=fallback-x11", "--share=ipc"}
    if displays & set(arguments) and not displays <= set(arguments):
        yield f"{app}: {sorted(displays)} belong together"
    if len(arguments) != len(set(arguments)):
        yield f"{app}: a permission is named twice"


def check_sources(manifest):
    for part in (manifest, *manifest["modules"]):
        if "--share=network" in json.dumps(part.get("build-options", {})):
            yield f"{part.get('name', part.get('id'))}: builds have no network"
    for module in manifest["modules"]:
        for source in module["sources"]:
            where = f"{module['name']}: {source}"
            if source["type"] == "git":
                if not source.get("url", "").startswith("https://"):
                    yield f"{where}: needs an https address"
                if "branch" in source or not source.get("tag"):
                    yield f"{where}: a tag, no branch"
                if not re.fullmatch("[0-9a-f]{40}", source.get("commit", "")):
                    yield f"{where}: a tag can be moved, its commit not"
            elif source["type"] == "archive" and not (
                    source.get("url", "").startswith("https://") and "sha256" in source):
                yield f"{where}: https and a sha256"
            elif source["type"] == "dir" and module is not manifest["modules"][-1]:
                yield f"{where}: only the app itself is built from this tree"


def check_hiredis(manifest):
    found = [module for module in manifest["modules"] if module["name"] == "hiredis"]
    if len(found) != 1 or [source["type"] for source in found[0]["sources"]] != ["git"]:
        yield f"{manifest['id']}: hiredis comes once, from its git repository"
        return
    tag = found[0]["sources"][0].get("tag", "")
    version = tuple(map(int, re.findall(r"\d+", tag)))
    series = [least for least in HIREDIS if least[:2] == version[:2]]
    if not (version >= series[0] if series else version > HIREDIS[-1]):
        yield f"{manifest['id']}: hiredis {tag} has faults that are mended since"


def check_cleanup(manifest):
    """What is cleaned up is not what is said to be installed."""
    installed = (ROOT / "flatpak" / "installed-files.txt").read_text(encoding="utf-8").split()
    for pattern in manifest["cleanup"]:
        for path in installed:
            # As flatpak-builder takes them: from the top, or the name alone.
            parts = [path.rsplit("/", n)[0] for n in range(path.count("/") + 1)]
            if any(fnmatch.fnmatchcase("/" + part, pattern) if pattern.startswith("/")
                   else fnmatch.fnmatchcase(part.rsplit("/", 1)[-1], pattern) for part in parts):
                yield f"{manifest['id']}: {path} is installed, and cleaned up by {pattern}"
    for path in installed:
        if re.search(r"\.(h|pc|a|la|cmake)$|^share/man/|^include/", path):
            yield f"installed-files.txt: nobody needs {path} to run the app"
    if installed != sorted(installed):
        yield "installed-files.txt is not in order"


def check_metainfo():
    path = ROOT / "data" / f"{APP}.metainfo.xml.in.in"
    root = xml.etree.ElementTree.fromstring(path.read_text(encoding="utf-8"))
    for tag in ("developer", "screenshots", "releases", "content_rating", "launchable", "url"):
        if root.find(tag) is None:
            yield f"{path.name}: no {tag}"
    for image in root.iter("image"):
        if not (image.text or "").startswith("https://"):
            yield f"{path.name}: a screenshot without an https address"
    developer = root.find("developer")
    if developer is not None and not developer.get("id"):
        yield f"{path.name}: the developer has no id"


def check_two(release, development):
    """The Devel manifest is the other with another id and profile."""
    expected = copy.deepcopy(release)
    expected["id"] += ".Devel"
    expected["modules"][-1]["config-opts"].insert(0, "-Dprofile=development")
    if release["modules"][:-1] != development["modules"][:-1]:
        yield "the modules before the app differ"
    elif expected != development:
        yield "the two manifests differ in more than id and profile"


def check():
    release, development = load(APP), load(f"{APP}.Devel")
    for manifest in (release, development):
        app = manifest["id"]
        if not re.fullmatch(r"io\.github(\.[A-Za-z][A-Za-z0-9_]*){2,3}", app):
            yield f"{app}: no id of a project there"
        if manifest["finish-args"] != PERMISSIONS:
            yield f"{app}: permissions changed; say why in this test"
        if manifest.get("separate-locales") is not False:
            yield f"{app}: a bundle has no other part that translations could be in"
        yield from check_arguments(manifest)
        yield from check_sources(manifest)
        yield from check_hiredis(manifest)
        yield from check_cleanup(manifest)
    yield from check_two(release, development)
    yield from check_metainfo()
    meson = (ROOT / "meson.build").read_text(encoding="utf-8")
    if f"application_id = '{APP}'" not in meson or "application_id += '.Devel'" not in meson:
        yield "meson.build has other ids than the manifests"


def main():
    faults = list(check())
    print("1..1")
    for fault in faults:
        print(f"# {fault}")
    print(f"{'not ok' if faults else 'ok'} 1 - Flatpak manifests")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
