"""Input of the API: what is not known is refused at its name, so that a misspelt member is never silently lost."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

YEARS = range(1970, 3000)
_In = TypeVar("_In", bound="StrictSerializer")


class StrictSerializer(serializers.Serializer[Any]):
    """Members that are neither fields nor in `read_back` are refused.

    `read_back`: what the same object's representation holds besides; it may be sent back as it was read, and says nothing.
    """

    read_back: ClassVar[frozenset[str]] = frozenset()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is None and self.parent is None:
            raise serializers.ValidationError({"non_field_errors": [_("La demande n’a pas de contenu.")]})
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(name) for name in data if name not in self.fields and name not in self.read_back]
            if unknown:
                raise serializers.ValidationError({name[:100]: [_("Ce membre est inconnu.")] for name in unknown[:20]})
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """An instant with its offset (RFC 3339): a wall clock without one would be somebody's guess."""

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        # At the calendar's ends no offset can be taken away any more.
        if timezone.is_naive(value) or value.year not in YEARS:
            raise serializers.ValidationError(_("Écrivez un instant RFC 3339, par exemple 2026-11-26T09:30:00Z."))
        return value.astimezone(dt.UTC)


def asked(request: Request, form: type[_In]) -> dict[str, Any]:
    """The parameters of the address, checked by `form`; ValidationError at their names."""
    given = {name: request.query_params[name] for name in request.query_params}
    for name in ("from", "to"):
        # In an address "+" means a space: an offset of "+01:00" that was not escaped arrives as one.
        if name in given:
            given[name] = given[name].strip().replace(" ", "+")
    query = form(data=given)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)
