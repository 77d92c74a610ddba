"""What an operation refuses to do: a code for programs, and the words for the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Refusal(Exception):
    """`.reason`: a key of the class's WORDS, which no subclass may lack. `.message`: for the person, in the current language.

    `values`: what "%(…)" in those words stands for.
    """

    WORDS: ClassVar[Mapping[str, _StrPromise]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not getattr(cls, "WORDS", None):
            raise TypeError(f"{cls.__name__} has no WORDS")

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values

    @property
    def message(self) -> str:
        said = str(self.WORDS[self.reason])
        return said % self.values if self.values else said
