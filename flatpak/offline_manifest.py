#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a copy of a manifest whose hiredis comes from Debian's source package instead of its git
host: offline_manifest.py MANIFEST SOURCES FOLDER. Where nothing can be fetched from that host, the
app is tested with this; what is shipped is built from the manifest itself. Says what differs."""

import json
import os
import sys
import tarfile


def debian_source(sources, folder):
    """The original archive and Debian's patches for it, as sources of a module."""
    names = os.listdir(sources)
    original = next(name for name in names if ".orig.tar." in name)
    packaging = next(name for name in names if ".debian.tar." in name)
    with tarfile.open(os.path.join(sources, packaging)) as archive:
        members = [member for member in archive.getmembers()
                   if member.name.startswith("debian/patches/")]
        archive.extractall(folder, members=members)
    patches = os.path.join(folder, "debian", "patches")
    with open(os.path.join(patches, "series"), encoding="utf-8") as file:
        series = [line.split("#")[0].strip() for line in file]
    return original, [
        {"type": "archive", "path": os.path.join(sources, original)},
        *({"type": "patch", "path": os.path.join(patches, name)} for name in series if name)]


def main(manifest_path, sources, folder):
    folder = os.path.abspath(folder)
    with open(manifest_path, encoding="utf-8") as file:
        manifest = json.load(file)
    hiredis = manifest["modules"][0]
    assert hiredis["name"] == "hiredis" and len(hiredis["sources"]) == 1
    pinned = hiredis["sources"][0]["tag"]
    original, hiredis["sources"] = debian_source(os.path.abspath(sources), folder)
    path = os.path.join(folder, f"{manifest['id']}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=4)
    print(f"stand-in: hiredis {pinned} of the manifest is replaced by {original} "
          f"and {len(hiredis['sources']) - 1} patches of Debian", file=sys.stderr)
    print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
