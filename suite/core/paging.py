"""Lists that are read page by page."""

from __future__ import annotations


class NumberedPage:
    """`page` counts from 1."""

    page: int
    has_next: bool

    @property
    def previous_page(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def next_page(self) -> int | None:
        return self.page + 1 if self.has_next else None
