#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manner of the C code that no compiler looks at and .clang-format cannot say: a definition's
parameters stand one a line, and a space before every bracket that opens arguments. --fix mends it."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DEFINITION = re.compile(r"^(\w+) \(((?:[^()]|\([^()]*\))*)\)\n\{", re.M)
# What is not code: comments, texts, and lines of the preprocessor.
NO_CODE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^#.*?(?<!\\)$', re.S | re.M)
# `_(`, `N_(`, `C_(` and `NC_(` mark texts, and stand tight against them.
TIGHT = re.compile(r"(?<!\w)(?!(?:_|N_|C_|NC_)\()\w+\(")


def sources():
    for top in ("src", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            yield from (os.path.join(folder, name) for name in sorted(names)
                        if name.endswith((".c", ".h")))


def split(parameters):
    """The parameters of a definition, at the commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in parameters:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [" ".join(part.split()) for part in parts]


def laid_out(match):
    name = match.group(1)
    joint = ",\n" + " " * (len(name) + 2)
    return f"{name} ({joint.join(split(match.group(2)))})\n{{"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def check_parameters(path, text):
    for match in DEFINITION.finditer(text):
        if match.group() != laid_out(match):
            yield text.count("\n", 0, match.start()) + 1, "parameters are not one a line"


def check_brackets(path, text):
    code = NO_CODE.sub(blank, text)
    for match in TIGHT.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, "no space before the bracket"


CHECKS = [check_parameters, check_brackets]


def main():
    texts = {}
    for path in sources():
        with open(path, encoding="utf-8") as file:
            texts[os.path.relpath(path, ROOT)] = file.read()
    if "--fix" in sys.argv:
        for path, text in texts.items():
            mended = DEFINITION.sub(laid_out, text)
            mended = re.sub(r"\b(g_auto\w*)\(", r"\1 (", mended)
            if mended != text:
                with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                    file.write(mended)
        return 0
    print(f"1..{len(CHECKS)}")
    failed = 0
    for number, check in enumerate(CHECKS, 1):
        found = [f"{path}:{line}: {what}" for path, text in texts.items()
                 for line, what in check(path, text)]
        for line in found:
            print(f"# {line}")
        failed += bool(found)
        print(f"{'not ok' if found else 'ok'} {number} - {check.__name__[len('check_'):]}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
