#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the window to its own rules, without a display: one file knows versions, one table knows
the verbs, every icon-only button has a name, every text is up for translation."""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
UI = ROOT / "src" / "ui"
TRANSLATED = re.compile(r'(?<![\w])(?:_|N_|C_|NC_|ngettext)\s*\(')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def code(path):
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def check_versions():
    for path in sorted(UI.glob("*.[ch]")):
        if path.name != "gw-compat.c" and "CHECK_VERSION" in code(path):
            yield f"{path.name} asks for a version; only gw-compat.c may"


def check_engine():
    users = [p.name for p in sorted(UI.glob("*.[ch]")) if '"gw-engine.h"' in code(p)]
    if users != ["gw-endpoint.c"]:
        yield f"the engine's header is included by {users}, not by gw-endpoint.c alone"


def verbs():
    return re.findall(r'\{ "((?:win|app)\.[a-z-]+)(?:::[a-z-]+)?", N_ \("', code(UI / "gw-verbs.c"))


def check_verbs():
    """The table, the actions and what the .ui files name are the same set."""
    table = set(verbs())
    source = "".join(code(path) for path in sorted(UI.glob("gw-window*.c")))
    actions = set(re.findall(r'\{ "(win\.[a-z-]+)", [a-z_]+ \}', source))
    actions |= set(re.findall(r'install_action \([^,"]*, "(win\.[a-z-]+)"', source))
    actions |= set(re.findall(r'install_property_action \([^,"]*, "(win\.[a-z-]+)"', source))
    actions |= {"win." + name for name in re.findall(
        r'simple_action_new(?:_stateful)? \(\s*"([a-z-]+)"', source)}
    actions |= {"win." + name for name in re.findall(r'\.name = "([a-z-]+)"', source)}
    actions |= {"app." + name for name in re.findall(r'\.name = "([a-z-]+)"',
                                                     code(UI / "gw-application.c"))}
    # Not for people: what a question was answered with, a notification, the launcher's menu.
    hidden = {"app.quit-now", "app.notified", "app.new-task", "app.import"}
    for name in sorted(table - actions):
        yield f"the table has the verb {name}, which is no action"
    for name in sorted(actions - table - hidden):
        yield f"the action {name} is not in the table of verbs"
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r'(?:name="action-name"|name="action")>((?:win|app)\.[a-z-]+)<', text)
        for name in named:
            if name not in table:
                yield f"{path.name} names the action {name}, which is not in the table of verbs"


def reached():
    """The actions that a menu, a button or a banner names."""
    named = set()
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        named |= set(re.findall(r'(?:name="action-name"|name="action")>((?:win|app)\.[a-z-]+)<',
                                path.read_text(encoding="utf-8")))
    for path in sorted(UI.glob("*.c")):
        if path.name == "gw-verbs.c":
            continue
        text = code(path)
        # What installs or enables an action, or an entry of a list of actions, is no way to it.
        text = re.sub(r'(?:install_action|install_property_action|action_set_enabled) \([^;]*;', "",
                      text)
        text = re.sub(r'\{ "win\.[a-z-]+", [a-z_]+ \}', "", text)
        named |= set(re.findall(r'"((?:win|app)\.[a-z-]+)(?:::[a-z-]+)?"', text))
    return named


def check_reach():
    """Every verb can be found without its key."""
    by_the_desktop = {"win.close", "app.quit"}  # the window's own button; no Quit item, says the HIG
    in_preferences = {"win.add-provider", "win.edit-provider"}  # whose page of providers has both
    for name in sorted(set(verbs()) - reached() - by_the_desktop - in_preferences):
        yield f"{name} is in no menu and on no button"


def check_accels():
    text = code(UI / "gw-verbs.c")
    seen = {}
    for action, rest in re.findall(r'\{ (?:"([^"]+)"|NULL), N_[^}]*?\{ ([^}]*) \} \}', text,
                                   re.DOTALL):
        for accel in re.findall(r'"([^"]+)"', rest):
            if accel in seen:
                yield f"{accel} is bound to {seen[accel]} and to {action or 'the toolkit'}"
            seen[accel] = action or "the toolkit"
            if action and accel in ("Return", "KP_Enter", "<Control>space", "<Shift>space",
                         "<Control>period", "<Control>semicolon", "<Control><Shift>u"):
                yield f"{accel} belongs to text fields and input methods"


def check_names():
    """A button that shows only an icon says what it does."""
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        for node in ET.parse(path).iter("object"):
            if node.get("class") not in ("GtkButton", "GtkMenuButton", "GtkToggleButton"):
                continue
            properties = {p.get("name"): p for p in node.findall("property")}
            if "icon-name" not in properties:
                continue
            label = [p for p in node.findall("accessibility/property") if p.get("name") == "label"]
            if "tooltip-text" not in properties or not label:
                yield f"{path.name}: the button {node.get('id')} has no name or no tooltip"
            for named in [properties.get("tooltip-text"), *label]:
                if named is not None and named.get("translatable") != "yes":
                    yield f"{path.name}: a name of {node.get('id')} is not translatable"


def check_icons():
    """Every icon is in the program, in GTK or in libadwaita: a desktop without a theme has it too."""
    there = {path.stem.removesuffix("-rtl") for path in (ROOT / "data" / "icons").rglob("*.svg")}
    for package, library in (("gtk4", "libgtk-4.so.1"), ("libadwaita-1", "libadwaita-1.so.0")):
        folder = subprocess.run(["pkg-config", "--variable=libdir", package], capture_output=True,
                                text=True, check=True).stdout.strip()
        listed = subprocess.run(["gresource", "list", f"{folder}/{library}"], capture_output=True,
                                text=True, check=True).stdout.split()
        there |= {pathlib.PurePath(path).stem.split(".")[0] for path in listed}
    sources = [*UI.glob("*.c"), *(ROOT / "data" / "ui").glob("*.ui")]
    for path in sorted(sources):
        for name in re.findall(r'["> ]([a-z-]+-symbolic)\b', path.read_text(encoding="utf-8")):
            if name not in there:
                yield f"{path.name}: the icon {name} is of a theme that not every desktop has"


def labels(menu):
    """What stands in one menu, over all its sections; a submenu is a menu of its own."""
    for child in menu:
        if child.tag == "section":
            yield from labels(child)
        elif child.tag in ("item", "submenu"):
            yield from (a.text for a in child.findall("attribute") if a.get("name") == "label")


def translations():
    """Of each language, what stands in one line; "" is the text as it is written."""
    yield "", {}
    for path in sorted((ROOT / "po").glob("*.po")):
        yield path.stem, dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$',
                                         path.read_text(encoding="utf-8"), re.MULTILINE))


def check_mnemonics():
    """Each underlined letter of a menu leads to one verb, in every language."""
    for language, words in translations():
        for fault in doubled_letters(words):
            yield f"{language} {fault}".strip()


def doubled_letters(words):
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        root = ET.parse(path).getroot()
        for menu in [*root.iter("menu"), *root.iter("submenu")]:
            seen = {}
            for label in labels(menu):
                label = words.get(label, label)
                letter = re.search(r"_(\w)", label)
                if letter is None:
                    continue
                other = seen.setdefault(letter[1].lower(), label)
                if other is not label:
                    yield f"{path.name}: {other!r} and {label!r} of {menu.get('id')} share a letter"


def check_comments():
    """The toolkit refuses a whole template for a comment where it takes none."""
    for path in sorted((ROOT / "data" / "ui").glob("*.ui")):
        for node in ET.parse(path).iter("accessibility"):
            for child in node:
                if "comments" in child.attrib:
                    yield f"{path.name}: a comment on an accessible {child.get('name')} is refused"


def check_potfiles():
    listed = {line.strip() for line in (ROOT / "po" / "POTFILES.in").read_text().splitlines()
              if line.strip() and not line.startswith("#")}
    wanted = set()
    for folder in ("src/ui", "src/client", "src/tools", "src/base"):
        for path in (ROOT / folder).rglob("*.c"):
            if TRANSLATED.search(code(path)):
                wanted.add(str(path.relative_to(ROOT)))
    for path in (ROOT / "data" / "ui").glob("*.ui"):
        if 'translatable="yes"' in path.read_text(encoding="utf-8"):
            wanted.add(str(path.relative_to(ROOT)))
    for pattern in ("*.desktop.in.in", "*.metainfo.xml.in.in", "*.gschema.xml.in"):
        wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "data").glob(pattern)}
    for name in sorted(wanted - listed):
        yield f"{name} has texts and is not in po/POTFILES.in"
    for name in sorted(listed):
        if not (ROOT / name).exists():
            yield f"po/POTFILES.in lists {name}, which does not exist"


CHECKS = [check_versions, check_engine, check_verbs, check_reach, check_accels, check_names,
          check_icons, check_mnemonics, check_comments, check_potfiles]


def main():
    failed = False
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        faults = list(check())
        for fault in faults:
            print(f"# {fault}")
        failed = failed or bool(faults)
        name = check.__name__.removeprefix("check_")
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
