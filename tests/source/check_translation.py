#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what people read to the rules of translation: every text is up for it and is translated, each
keeps its placeholders, and a translation keeps to its punctuation and to its glossary.

  tests/source/check_translation.py          all checks
  tests/source/check_translation.py --list   the entries without a comment, to write them"""

import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the preset "glib" of meson's i18n module gives to xgettext.
KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "g_dcgettext:2", "g_dngettext:2,3",
            "g_dpgettext2:2c,3"]
FLAGS = ["N_:1:pass-c-format", "C_:2:pass-c-format", "NC_:2:pass-c-format",
         "g_dngettext:2:pass-c-format", "g_strdup_printf:1:c-format",
         "g_string_printf:2:c-format", "g_string_append_printf:2:c-format",
         "g_error_new:3:c-format", "g_set_error:4:c-format", "g_print:1:c-format",
         "g_printerr:1:c-format"]
PLACEHOLDER = re.compile(r"%(?:\d+\$)?[-+ 0#']*\d*(?:\.\d+)?(?:l|ll|z|h)?([a-zA-Z])")
NAMED = re.compile(r"\{[a-z]+\}")
MNEMONIC = re.compile(r"(?<![A-Za-z])_([A-Za-z])|(?<=[A-Za-z])_([a-z])(?=[a-z])")
HAN = r"\u3400-\u4dbf\u4e00-\u9fff"

# A term as a regular expression, what stands for it (one of them, in any sentence that has the term),
# and what must not. Where Chinese needs no word for the term, the first list is empty.
GLOSSARY = [
    (r"\btasks?\b", ["任务"], ["作业"]),
    (r"\bproviders?\b", ["服务商"], ["提供商", "供应商", "提供方", "提供者"]),
    (r"\bgateways?\b", ["网关"], []),
    (r"\bqueued\b", ["排队"], []),
    (r"\bretry\b", ["重试"], []),
    (r"\bundo\b", ["撤消"], []),
    (r"\bmodels?\b", ["模型"], ["模式"]),
    (r"\bimport(ed)?\b", ["导入"], []),
    (r"\bpreferences\b", ["首选项"], ["偏好"]),
    (r"\btimeline\b", ["时间线"], ["时间轴"]),
    (r"\bprojects?\b", ["项目"], ["工程"]),
    (r"\bkeyring\b", ["密钥环"], []),
    (r"\bhistory\b", ["历史记录"], []),
    (r"\btemplate\b", ["模板"], ["范本"]),
    (r"\bcancelled\b", ["取消"], []),
    (r"\bresume\b", ["继续", "--resume"], []),
    (r".", [], ["撤销", "应答", "程式", "信息框", "粘帖", "帐", "登陆"]),
]
# One word with two meanings.
TOKEN_OF_A_MODEL = re.compile(r"[iI]nput tokens?|%(?:\d\$)?'?l?[du]k? tokens?|%.*tokens?$|^Tokens$"
                              r"|in, %2\$'?ld out|[tT]oken _?[lL]imit|tokens the project may"
                              r"|tokens an answer")


class Entry:
    def __init__(self, lines):
        self.comment = "\n".join(line[3:] for line in lines if line.startswith("#. "))
        self.places = " ".join(line[3:] for line in lines if line.startswith("#: ")).split()
        self.flags = " ".join(line[3:] for line in lines if line.startswith("#, "))
        values, current = {}, None
        for line in lines:
            if line.startswith("#"):
                continue
            found = re.match(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?) "(.*)"$', line)
            if found:
                current = found.group(1)
                values[current] = found.group(2)
            elif line.startswith('"'):
                values[current] += line[1:-1]
        def plain(text):
            return re.sub(r'\\(.)', lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)),
                          text)
        self.context = values.get("msgctxt")
        self.id = plain(values.get("msgid", ""))
        self.plural = plain(values["msgid_plural"]) if "msgid_plural" in values else None
        self.texts = [plain(value) for key, value in sorted(values.items())
                      if key.startswith("msgstr")]

    def __str__(self):
        return f"“{self.id}” ({self.places[0] if self.places else '?'})"


def entries(text):
    blocks = re.split(r"\n\s*\n", text)
    found = [Entry([line for line in block.splitlines() if not line.startswith("#~")])
             for block in blocks if re.search(r'^msgid', block, re.MULTILINE)]
    return [entry for entry in found if entry.id]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)


def languages():
    return (ROOT / "po" / "LINGUAS").read_text(encoding="utf-8").split()


class Texts:
    """The template as the sources have it now, and each translation laid over it."""

    def __init__(self, folder):
        self.template = folder / "gangway.pot"
        run("xgettext", "--files-from=po/POTFILES.in", "--from-code=UTF-8",
            "--add-comments=Translators", *("--keyword=" + word for word in KEYWORDS),
            *("--flag=" + flag for flag in FLAGS), f"--output={self.template}")
        self.sources = entries(run("msgcat", "--no-wrap", str(self.template)).stdout)
        self.translations = {}
        for language in languages():
            merged = run("msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap", "--output-file=-",
                         f"po/{language}.po", str(self.template)).stdout
            self.translations[language] = entries(merged)


def check_complete(texts):
    for language, found in texts.translations.items():
        for entry in found:
            if not entry.texts or not all(entry.texts):
                yield f"{language}: not translated: {entry}"
            if "fuzzy" in entry.flags:
                yield f"{language}: fuzzy: {entry}"


def kinds(text):
    return sorted(PLACEHOLDER.findall(text.replace("%%", "")))


def check_placeholders(texts):
    """Beyond msgfmt --check: plurals, and what is filled in by name."""
    for language, found in texts.translations.items():
        for entry in found:
            if "no-c-format" in entry.flags:
                continue
            for text in filter(None, entry.texts):
                wanted = entry.plural if entry.plural is not None else entry.id
                if "c-format" in entry.flags and kinds(text) != kinds(wanted):
                    yield f"{language}: placeholders of {entry}"
                if sorted(set(NAMED.findall(text))) != sorted(set(NAMED.findall(entry.id))):
                    yield f"{language}: {{names}} of {entry}"
                for word in re.findall(r"--[a-z][a-z-]+", entry.id):
                    if word not in text:
                        yield f"{language}: {word} is missing: {entry}"
                if entry.id.startswith(" ") != text.startswith(" ") \
                        or entry.id.endswith("\n") != text.endswith("\n"):
                    yield f"{language}: begins or ends otherwise: {entry}"


def check_mnemonics(texts):
    for language, found in texts.translations.items():
        if not language.startswith(("zh", "ja", "ko")):
            continue
        for entry in found:
            letters = [a or b for a, b in MNEMONIC.findall(entry.id)]
            # GSettings values and file names have underscores of their own.
            if len(letters) != 1 or "__" in entry.id or re.search(r"[a-z]_[a-z]+_", entry.id):
                continue
            wanted = f"(_{letters[0].upper()})"
            for text in filter(None, entry.texts):
                if text.count(wanted) != 1:
                    yield f"{language}: {entry} needs one {wanted}, has “{text}”"
                elif entry.id.endswith("…") and not text.endswith(wanted + "…"):
                    yield f"{language}: {wanted}… at the end of “{text}”"


def check_punctuation(texts):
    rules = [(rf"[{HAN}][,;:?!]|[,;:?!][{HAN}]", "half-width punctuation beside Chinese"),
             (r"\.\.\.|。。|……", "an ellipsis is one …"),
             (rf"[{HAN}]\((?!_)|\)[{HAN}](?<!\(_.\).)", "half-width brackets beside Chinese"),
             (rf"[{HAN}][\"']|[\"'][{HAN}]", "straight quotes beside Chinese"),
             (r"[「」『』]", "quotes are “ ”"),
             (rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9](?<!%[a-zA-Z])(?<!\$[a-zA-Z])(?<!%.[a-zA-Z])"
              rf"(?<!%-[a-z])(?<!\.\d[a-z])[{HAN}]", "a space between Chinese and Latin"),
             (r"[，。；：、？！“”（）] | [，。；：、？！（）]", "no space beside full-width punctuation"),
             (r"^\s|\s$", "a space at an end")]
    for entry in texts.translations.get("zh_CN", []):
        if entry.id.count(";") > 3:
            continue  # the key words of the desktop file
        for text in filter(None, entry.texts):
            if text == entry.id:
                continue
            bare = re.sub(r"\(_[A-Z0-9]\)", "", text)
            for pattern, what in rules:
                if what == "a space at an end" and entry.id[:1] + entry.id[-1:] != \
                        (entry.id[:1] + entry.id[-1:]).strip():
                    continue
                found = re.search(pattern, bare)
                if found:
                    yield f"zh_CN: {what}: “{text}” ({entry.places[0]})"
            if re.search(r"[a-z)”]\.$", entry.id) and not bare.endswith(("。", "。”")):
                yield f"zh_CN: a sentence ends with 。: “{text}” ({entry.places[0]})"
            if bare.endswith("。") and not re.search(r"\.(”|\))?$", entry.id):
                yield f"zh_CN: no 。 where the original has no full stop: “{text}”"
            if entry.id.count("“") != text.count("“") and "“" not in text and "“" in entry.id:
                yield f"zh_CN: quotes are lost: “{text}” ({entry.places[0]})"


def check_glossary(texts):
    for entry in texts.translations.get("zh_CN", []):
        words = re.sub(r"\{\w+\}|--[a-z-]+", "", entry.id.replace("_", "")).lower()
        for text in filter(None, entry.texts):
            bare = re.sub(r"\(_[A-Z]\)", "", text)
            for pattern, wanted, unwanted in GLOSSARY:
                if not re.search(pattern, words):
                    continue
                if wanted and not any(word in bare for word in wanted):
                    yield f"zh_CN: {'/'.join(wanted)} is missing: {entry}: “{text}”"
                for word in unwanted:
                    if word in bare:
                        yield f"zh_CN: {word} is not our word: {entry}: “{text}”"
            if re.search(r"\btokens?\b", words):
                right, wrong = ("词元", "令牌") if TOKEN_OF_A_MODEL.search(entry.id) \
                    else ("令牌", "词元")
                if right not in bare or wrong in bare:
                    yield f"zh_CN: a token is {right} here: {entry}: “{text}”"


def needs_comment(entry):
    """What cannot be understood without the place where it stands."""
    if entry.context is not None or entry.comment:
        return False
    if all(place.startswith("data/") and "gschema" in place for place in entry.places):
        return False  # a whole description
    found = kinds(entry.plural or entry.id)
    if found and (len(found) > 1 or any(kind == "s" for kind in found)):
        return True
    return False


def check_comments(texts):
    for entry in texts.sources:
        if needs_comment(entry):
            yield f"a comment for translators is missing: {entry}"


def check_sources(texts):
    """The originals themselves: typographic, and not pieces of a sentence."""
    for entry in texts.sources:
        for text in filter(None, (entry.id, entry.plural)):
            if "..." in text:
                yield f"an ellipsis is one …: {entry}"
            if re.search(r"[a-z]'[a-z]", text):
                yield f"an apostrophe is ’: {entry}"
            if entry.context is None and text not in (", ",) and text != text.strip(" "):
                yield f"a piece of a sentence: {entry}"


VISIBLE = {"label", "title", "subtitle", "tooltip-text", "placeholder-text", "description", "heading",
           "body", "text", "header", "prefix", "button-label"}


def check_ui_files(texts):
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        for node in ET.parse(path).iter():
            text = node.text or ""
            if not re.search(r"[^\W\d_]{2}", text) or node.get("translatable") == "yes":
                continue
            if node.tag in ("property", "attribute") and node.get("name") in VISIBLE \
                    and not node.get("bind-source"):
                yield f"{path.name}: “{text}” is not up for translation"
            if node.tag == "item":
                yield f"{path.name}: the item “{text}” is not up for translation"


def check_files(texts):
    lines = [line for line in (ROOT / "po" / "POTFILES.in").read_text(encoding="utf-8").splitlines()
             if line and not line.startswith("#")]
    if lines != sorted(set(lines)):
        yield "po/POTFILES.in is not sorted, or names a file twice"
    for language in languages():
        if not (ROOT / "po" / f"{language}.po").exists():
            yield f"po/{language}.po does not exist"


def literals(path):
    """The string literals of a C file, those over several lines in one piece."""
    source = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    source = re.sub(r'"\s*\n\s*"', "", source)
    return re.findall(r'"((?:[^"\\\n]|\\.)*)"', source)


def check_phrases(texts):
    """What is known again by gw-phrases.c is what the backend says, and nothing that is wrong with a
    configuration or with Redis stays without translation."""
    phrases = [text for text in literals(ROOT / "src" / "base" / "gw-phrases.c")
               if len(text.split()) > 2]
    backend = ROOT / "src" / "backend"
    said = "\n".join(text for path in sorted(backend.rglob("*.c")) for text in literals(path))
    # The test of a provider is told without what to do with the provider afterwards.
    said += said.replace(", then resume it.", ".")
    for phrase in phrases:
        if phrase not in said:
            yield f"gw-phrases.c: the backend does not say “{phrase}” any more"
    known = set(phrases)
    for name in ("gw-config.c", "gw-config-file.c", "gw-config-providers.c",
                 "provider/gw-provider-config.c"):
        for text in literals(backend / name):
            phrase = re.sub(r"^(?:[a-z-]+|%s): (?=[^%]|%u)", "", text)
            if len(phrase.split()) > 2 and text not in known and phrase not in known:
                yield f"gw-phrases.c does not have “{text}” of {name}"
    for name in ("address", "connection", "fault", "tls"):
        for text in literals(backend / "queue" / f"gw-redis-{name}.c"):
            # Of the table's sentences one format is made, which gw-phrases.c takes apart again.
            text = text.removeprefix("%s ")
            if len(text.split()) > 2 and text.endswith(".") and text not in known:
                yield f"gw-phrases.c does not have “{text}” of gw-redis-{name}.c"


CHECKS = [check_complete, check_placeholders, check_mnemonics, check_punctuation, check_glossary,
          check_comments, check_sources, check_ui_files, check_files,
          check_phrases]


def main():
    with tempfile.TemporaryDirectory() as folder:
        texts = Texts(pathlib.Path(folder))
    if sys.argv[1:] == ["--list"]:
        for entry in texts.sources:
            if needs_comment(entry):
                print(entry.places[0], repr(entry.id))
        return 0
    failed = False
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        faults = list(check(texts))
        for fault in faults:
            print("# " + fault.replace("\n", " "))
        failed = failed or bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {check.__name__.removeprefix('check_')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
