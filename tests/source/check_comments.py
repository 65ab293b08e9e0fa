#!/usr/bin/python3
"""Every function that other rooms may call says what it does, where it is declared or defined."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = sys.argv[1:] or ["src/base", "src/backend", "src/client"]
DECLARED = re.compile(r"^(?!static|typedef|#|G_|\s)[A-Za-z][\w\s*]*?\b(gw_\w+)\s*\([^;{]*\)[^;{]*;",
                      re.MULTILINE)


def has_comment(text, start):
    """Whether a comment ends right before @start, or before the lines that stand with it."""
    lines = text[:start].split("\n")[:-1]
    while lines and lines[-1].strip() and not lines[-1].rstrip().endswith("*/"):
        lines.pop()
    return bool(lines) and lines[-1].rstrip().endswith("*/")


def is_explained(header, text, match):
    name = match.group(1)
    if has_comment(text, match.start()) or re.match(r"[ \t]*/\*", text[match.end():]):
        return True
    for source in header.parent.glob("*.c"):
        code = source.read_text(encoding="utf-8")
        found = re.search(rf"^{name} \(", code, re.MULTILINE)
        if found:
            above = code[:found.start()].rstrip("\n").rsplit("\n", 1)[0]
            return above.endswith("*/")
    return False


def main():
    faults = []
    for folder in FOLDERS:
        for header in sorted((ROOT / folder).rglob("*.h")):
            if header.name.endswith("-private.h"):
                continue
            text = header.read_text(encoding="utf-8")
            for match in DECLARED.finditer(text):
                name = match.group(1)
                if name.endswith(("_get_type", "_free", "_unref", "_ref", "_finish")):
                    continue
                if not is_explained(header, text, match):
                    faults.append(f"{header.relative_to(ROOT)}: {name}() has no comment")
    print("1..1")
    print("\n".join(f"# {fault}" for fault in faults))
    print("not ok 1 - comments" if faults else "ok 1 - comments")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
