#!/usr/bin/python3
"""Holds the sources to the order of the layers: base, backend and client, tools and ui."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
FORBIDDEN = {
    "base": ("backend", "client", "tools", "ui"),
    "backend": ("client", "tools", "ui"),
    "client": ("backend", "tools", "ui"),
    "tools": ("ui",),
    "ui": ("tools",),
}
TOOLKIT = re.compile(r"^(gtk|gdk|gsk|adwaita|libadwaita)")
ENGINE = "gw-engine.h"


def sources(layer):
    folder = ROOT / "src" / layer
    return sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h"))


def headers(layer):
    folder = ROOT / "src" / layer
    return {str(p.relative_to(folder)) for p in folder.rglob("*.h")} | {
        p.name for p in folder.rglob("*.h")
    }


def check():
    known = {layer: headers(layer) for layer in FORBIDDEN}
    faults = []
    engine_users = []
    for layer, others in FORBIDDEN.items():
        for path in sources(layer):
            place = path.relative_to(ROOT)
            for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
                if layer != "ui" and TOOLKIT.match(include):
                    faults.append(f"{place}: <{include}> belongs in src/ui only")
                for other in others:
                    if include in known[other] and include not in known[layer]:
                        faults.append(f"{place}: {include} is of the layer {other}")
                if layer in ("tools", "ui") and include in known["backend"]:
                    if include != ENGINE:
                        faults.append(f"{place}: {include} is inside the backend")
                    elif layer == "ui":
                        engine_users.append(str(place))
    if len(engine_users) > 1:
        faults.append(f"more than one file of src/ui includes {ENGINE}: {engine_users}")
    return faults


def main():
    faults = check()
    print("1..1")
    for fault in faults:
        print(f"# {fault}")
    print("not ok 1 - layers" if faults else "ok 1 - layers")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
