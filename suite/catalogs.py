"""Message catalogues without GNU gettext on the machine: Babel reads, Django's own `templatize` turns templates into text it can read.

The msgids are French, the language the interface is written in. The French catalogue therefore only needs its plurals (French counts
zero as singular, which an untranslated gettext does not); English and German translate everything.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("suite", "visio", "tchap_bridge", "templates")
LANGUAGES = ("fr", "en", "de")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def po_path(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def files() -> Iterator[Path]:
    """Every Python file and template whose text a person may read."""
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*")):
            in_templates = "templates" in path.relative_to(ROOT).parts
            is_code = path.suffix == ".py" and "migrations" not in path.parts
            if is_code or (in_templates and path.suffix in {".html", ".txt"}):
                yield path


def extracted() -> Catalog:
    """The messages that the code holds now."""
    catalog = Catalog(project="portal", charset="utf-8")
    for path in files():
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            text = templatize(text, origin=str(path.relative_to(ROOT)))
            # What remains of the markup is indented at random, which Python's tokenizer takes for blocks.
            text = "\n".join(line.lstrip() for line in text.splitlines())
        source = io.BytesIO(text.encode())
        for _line, message, comments, context in extract(
            "python", source, keywords=KEYWORDS, comment_tags=("Translators",)
        ):
            catalog.add(
                message,
                locations=[(str(path.relative_to(ROOT)), None)],  # type: ignore[list-item]
                auto_comments=comments,
                context=context,
                flags=_flags(message),
            )
    return catalog


def _flags(message: str | tuple[str, ...]) -> set[str]:
    text = message if isinstance(message, str) else "".join(part or "" for part in message)
    return {"python-format"} if "%(" in text else set()


def read(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, project="portal", charset="utf-8")
    with path.open("rb") as source:
        return read_po(source, locale=language)


def update(language: str) -> Catalog:
    """Bring one catalogue up to date with the code: new messages come in empty, those gone from the code leave."""
    now = extracted()
    old = read(language)
    fresh = Catalog(
        locale=language,
        project="portal",
        charset="utf-8",
        fuzzy=False,
        header_comment="# The portal's messages; `manage.py messages` keeps this file.",
        msgid_bugs_address="",
        last_translator="",
        language_team="",
    )
    for message in now:
        if message.id == "":
            continue
        known = old.get(message.id, context=message.context)
        string = known.string if known else ""
        if language == "fr" and isinstance(message.id, tuple):
            string = tuple(message.id)
        fresh.add(
            message.id,
            string,
            locations=message.locations,
            flags=message.flags - {"fuzzy"},
            auto_comments=message.auto_comments,
            context=message.context,
        )
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    target = io.BytesIO()
    write_po(target, fresh, width=120, sort_output=True, omit_header=False, include_lineno=False)
    # The creation date would make every run a change.
    lines = [line for line in target.getvalue().decode().splitlines() if not line.startswith('"POT-Creation-Date')]
    path.write_text(
        "\n".join(line for line in lines if not line.startswith('"PO-Revision-Date')) + "\n", encoding="utf-8"
    )
    return fresh


def missing(language: str) -> list[str]:
    """What stands between a catalogue and the code: untranslated messages, broken placeholders, and a stale file."""
    old = read(language)
    faults = []
    for message in extracted():
        if message.id == "":
            continue
        known = old.get(message.id, context=message.context)
        name = message.id if isinstance(message.id, str) else message.id[0]
        if known is None:
            faults.append(f"{language}: not in the catalogue: {name!r}")
        elif not _translated(known, language):
            faults.append(f"{language}: untranslated: {name!r}")
        else:
            faults += [f"{language}: {name!r}: {error}" for error in known.check()]
    return faults


def _translated(message: Message, language: str) -> bool:
    if isinstance(message.id, str):
        return language == "fr" or bool(message.string)
    return all(message.string) if isinstance(message.string, (tuple, list)) else False


def compile_catalog(language: str) -> Path:
    """Write the .mo beside the .po; Django reads only that. At one stroke: two runs may start at once."""
    path = po_path(language).with_suffix(".mo")
    fresh = path.with_suffix(f".{os.getpid()}.new")
    with fresh.open("wb") as target:
        write_mo(target, read(language))
    return fresh.replace(path)
