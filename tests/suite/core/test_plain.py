import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from suite.core.plain import clean_text, one_line

# Everything that some reader takes for a line break, and markup, beside ordinary letters.
NASTY = st.text(
    alphabet=st.one_of(st.sampled_from("\r\n\x85\u2028\u2029\x0b\x0c\x1c\x00\x1b;:,\"'<>&=?é "), st.characters())
)


@given(NASTY)
def test_one_line_is_one_line_for_every_reader(text: str) -> None:
    kept = one_line(text)
    assert len(kept.splitlines()) <= 1
    assert not any(unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} for character in kept)
    assert kept == kept.strip()
    assert one_line(kept) == kept


def test_one_line_keeps_what_people_write() -> None:
    assert one_line("Comité de suivi – « Visio » : l’État ; à 14 h") == "Comité de suivi – « Visio » : l’État ; à 14 h"
    assert one_line(" a\r\nBcc: b\x85c\t d ") == "a Bcc: b c d"


@given(NASTY)
def test_clean_text_knows_one_line_break(text: str) -> None:
    kept = clean_text(text)
    assert kept.split("\n") == (kept.splitlines() or [""])
    assert clean_text(kept) == kept


def test_clean_text_keeps_paragraphs() -> None:
    assert clean_text("a\r\n\r\nb\x85c\u2028d\x00\te\n") == "a\n\nb\nc\nd\te"
