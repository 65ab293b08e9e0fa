# SPDX-License-Identifier: GPL-3.0-or-later
"""A language that nobody speaks: every text is longer and in letters of its own, between ⟦ and ⟧, so
that a text that was not marked for translation, or put together from pieces, can be seen."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "source"))
import check_translation  # noqa: E402

# No locale has that name; gettext only looks for the folder.
LANGUAGE = "en_XA"
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "áƀçďéƒǵĥíĵķĺɱñóþǫŕšťúṽŵẋýžÁƁÇĎÉƑǴĤÍĴĶĹṀÑÓÞǪŔŠŤÚṼŴẊÝŽ")
# What stays: placeholders, names in braces, entities and tags.
KEPT = re.compile(r"%(?:\d+\$)?[-+ 0#']*\d*(?:\.\d+)?(?:l|ll|z|h)?[a-zA-Z%]|\{[a-z]*\}|&[a-z]+;|<[^>]*>")
LATIN = re.compile(r"[A-Za-z]")


def pseudo(text):
    """@text in that language."""
    if not LATIN.search(KEPT.sub("", text)):
        return text
    parts, last = [], 0
    for found in KEPT.finditer(text):
        parts += [text[last:found.start()].translate(LETTERS), found.group()]
        last = found.end()
    parts.append(text[last:].translate(LETTERS))
    more = max(1, len(text) * 2 // 5)
    end = "\n" if text.endswith("\n") else ""
    return "⟦" + "".join(parts).rstrip("\n") + " " + "~" * min(more, 8) + \
        " ~~~~~~" * (max(0, more - 8) // 7) + "⟧" + end


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def write_catalogue(folder):
    """Makes FOLDER/LANGUAGE/LC_MESSAGES/gangway.mo from the sources as they are."""
    place = pathlib.Path(folder, LANGUAGE, "LC_MESSAGES")
    place.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        entries = check_translation.Texts(pathlib.Path(work)).sources
        lines = ['msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=UTF-8\\n"',
                 '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"', ""]
        for entry in entries:
            if entry.context is not None:
                lines.append("msgctxt " + quoted(entry.context))
            lines.append("msgid " + quoted(entry.id))
            if entry.plural is None:
                lines.append("msgstr " + quoted(pseudo(entry.id)))
            else:
                lines += ["msgid_plural " + quoted(entry.plural),
                          "msgstr[0] " + quoted(pseudo(entry.id)),
                          "msgstr[1] " + quoted(pseudo(entry.plural))]
            lines.append("")
        source = pathlib.Path(work, "pseudo.po")
        source.write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(["msgfmt", "--output-file", str(place / "gangway.mo"), str(source)],
                       check=True)
    return folder


def outside(text):
    """What of @text is not between ⟦ and ⟧."""
    depth, rest = 0, []
    for letter in text:
        if letter == "⟦":
            depth += 1
        elif letter == "⟧":
            depth = max(0, depth - 1)
        elif depth == 0:
            rest.append(letter)
    return "".join(rest)


def is_foreign(text, allowed):
    """Whether @text has words that were not translated; @allowed are regular expressions."""
    rest = outside(text)
    for pattern in allowed:
        rest = re.sub(pattern, "", rest)
    return LATIN.search(rest) is not None
