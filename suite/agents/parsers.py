"""JSON bodies of the API. (Their length is Django's to bound: DATA_UPLOAD_MAX_MEMORY_SIZE, a 413 in problems.py.)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """400 for what is nested too deep for Python, as for any other body that cannot be read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("Le corps de la demande est trop imbriqué.")) from error
