"""A file on its way in, cut off while it arrives: what is too big is never kept, in memory or on disk."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from visio.exchange.parsing import MOST_BYTES

# A multipart envelope with its fields around the file.
MOST_REQUEST = MOST_BYTES + 64 * 1024


class BoundedUpload(FileUploadHandler):
    """Keeps one file of at most MOST_BYTES; anything more marks `request.file_too_big` and is dropped as it arrives."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._buffer = BytesIO()
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._buffer, self._size = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._size += len(raw_data)
        if self._size > MOST_BYTES:
            note_too_big(self.request)
            self._buffer = BytesIO()
            raise SkipFile
        self._buffer.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:
        if self._size > MOST_BYTES:
            return None
        self._buffer.seek(0)
        return InMemoryUploadedFile(
            file=self._buffer,
            field_name=self.field_name,
            name=self.file_name or "",
            content_type=self.content_type,
            size=self._size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )


def note_too_big(request: HttpRequest | None) -> None:
    if request is not None:
        request.META[_KEY] = True


def is_too_big(request: HttpRequest) -> bool:
    """Whether the file was cut off, or the request says that it is too long to be worth reading."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return bool(request.META.get(_KEY)) or (str(length).isdigit() and int(length) > MOST_REQUEST)


_KEY = "portal.file_too_big"
