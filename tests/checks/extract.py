"""Brings the Chinese catalogue up to date with the code: new msgids in, gone ones out, translations kept.

    python tests/checks/extract.py

The catalogue holds our own strings, ckanext-scheming's (which has no Chinese), and all of CKAN's own: a plugin's
catalogue wins over CKAN's, which is half translated and calls things by other names. Prints what is left to translate.
The template next to it holds only msgids that our JavaScript uses: ``ckan translation js`` looks there.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
from babel.messages.extract import extract_from_dir
from translations import CATALOGUE, EXTENSION, KEYWORDS, METHODS, Msgid, extracted

TEMPLATE = EXTENSION / "i18n" / "ckanext-openhuizhou.pot"
HEADER = {
    "Project-Id-Version": "ckanext-openhuizhou",
    "Language": "zh_Hans_CN",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


def scheming_strings() -> Iterator[Msgid]:
    """Msgids of ckanext-scheming's code and templates, without its tests."""
    folder = _package("ckanext.scheming")
    for name, _line, message, _comments, _context in extract_from_dir(folder, METHODS, keywords=KEYWORDS):
        if message and not name.startswith(("tests/", "2.8_templates/")):
            yield tuple(message) if isinstance(message, (list, tuple)) else message


def ckan_strings() -> Iterator[Msgid]:
    """Msgids of CKAN's own template, in its order."""
    for entry in polib.pofile(str(_package("ckan") / "i18n" / "ckan.pot")):
        yield (entry.msgid, entry.msgid_plural) if entry.msgid_plural else entry.msgid


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def update(old: polib.POFile, places: dict[Msgid, str]) -> polib.POFile:
    """A new catalogue of ``places`` (msgid → where it is used) with the translations of ``old``."""
    known = {entry.msgid: entry for entry in old}
    new = polib.POFile(wrapwidth=110)
    new.metadata = HEADER
    for msgid, place in places.items():
        singular, plural = msgid if isinstance(msgid, tuple) else (msgid, "")
        if new.find(singular):
            continue
        entry = polib.POEntry(msgid=singular, occurrences=[(place, "")])
        before = known.get(singular)
        text = "" if before is None else before.msgstr or before.msgstr_plural.get(0, "")
        if plural:
            entry.msgid_plural, entry.msgstr_plural = plural, {0: text}
        else:
            entry.msgstr = text
        new.append(entry)
    return new


def main() -> int:
    ours = {msgid: place.rsplit(":", 1)[0] for msgid, place in extracted().items()}
    scripts = {msgid: place for msgid, place in ours.items() if place.endswith(".js")}
    places = dict(sorted(ours.items(), key=lambda pair: (pair[1], str(pair[0]))))
    for source, strings in (("ckanext-scheming", scheming_strings()), ("ckan", ckan_strings())):
        for msgid in strings:
            places.setdefault(msgid, source)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    old = polib.pofile(str(CATALOGUE)) if CATALOGUE.exists() else polib.POFile()
    catalogue = update(old, places)
    catalogue.save(str(CATALOGUE))
    update(polib.POFile(), scripts).save(str(TEMPLATE))
    missing = [entry for entry in catalogue if not (entry.msgstr or entry.msgstr_plural.get(0))]
    for entry in missing:
        sys.stdout.write(f"{entry.occurrences[0][0]}: {entry.msgid!r}\n")
    sys.stdout.write(f"{len(catalogue)} strings, {len(missing)} without Chinese\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
