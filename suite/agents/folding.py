"""Text as people search it: no case, no accents, single spaces. Pure."""

import unicodedata


def fold(text: str) -> str:
    """`"  Hélène DA  Silva"` → `"helene da silva"`."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.casefold().replace("’", "'").split())
