"""JSON bodies of the API: bounded in length and depth, and text that is text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Half of a character: JSON can write it, nothing can store or send it.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BoundedJSONParser(JSONParser):
    """400 for what is no JSON, is nested too deep or is no text; 413, with nothing parsed, for what is too long."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(longest + 1)
        if len(body) > longest:
            raise RequestDataTooBig
        try:
            data = super().parse(io.BytesIO(body), media_type, parser_context)
            if _SURROGATE.search(body):
                json.dumps(data, ensure_ascii=False).encode()
        except ParseError as error:
            # The framework's own words are Python's, in English.
            raise ParseError(_no_json(error.__context__)) from error
        except RecursionError as error:
            raise ParseError(_("Le corps de la demande est trop imbriqué.")) from error
        except UnicodeEncodeError as error:
            raise ParseError(
                _("Le corps de la demande contient une moitié de caractère (\\uD800 à \\uDFFF).")
            ) from error
        return data


def _no_json(cause: BaseException | None) -> str:
    if isinstance(cause, json.JSONDecodeError):
        where = {"line": cause.lineno, "column": cause.colno}
        return _("Le corps de la demande n’est pas du JSON valable : ligne %(line)d, colonne %(column)d.") % where
    return _("Le corps de la demande n’est pas du JSON valable.")
