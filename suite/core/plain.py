"""Text that people typed, made safe for places where a line break would mean something."""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Quick way out for the usual text: nothing outside printable Latin and tabs.
_ONE_CLEAN_LINE = re.compile(r"[\x21-\x7e\xa1-\u02ff]+(?: [\x21-\x7e\xa1-\u02ff]+)*")


def is_control(character: str) -> bool:
    """C0, C1, lone surrogates and the Unicode line and paragraph separators: what may break a header or a calendar line."""
    return unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}


def one_line(text: str) -> str:
    """`text` without control characters or line breaks, spaces collapsed."""
    if _ONE_CLEAN_LINE.fullmatch(text):
        return text
    return " ".join("".join(" " if is_control(character) else character for character in text).split())


def clean_text(text: str) -> str:
    r"""`text` with \n as its only line break and no other control character than the tab, stripped."""
    unified = _BREAKS.sub("\n", text)
    return "".join(character for character in unified if character in "\n\t" or not is_control(character)).strip()
