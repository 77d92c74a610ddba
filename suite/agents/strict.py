"""Input of the API: what is not known is refused at its name, so that a misspelt member is never silently lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

YEARS = range(1970, 3000)
# {member: messages}; of a nested member what the framework makes of it: by its own members or places.
Faults = dict[str, Any]
_In = TypeVar("_In", bound="StrictSerializer")


class BadParameters(serializers.ValidationError):
    """The address asks for something impossible: the faults are those of its parameters, by name."""


def add_faults(wrong: Faults, error: serializers.ValidationError, *, but: Collection[str] = ()) -> None:
    """Add what `error` says to `wrong`, except of members whose fault is known already, and of `but`."""
    said = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
    for name, messages in said.items():
        if name not in but:
            wrong.setdefault(str(name), messages)


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
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        unknown = [str(name) for name in data if name not in self.fields and name not in self.read_back]
        wrong: Faults = {name[:100]: [_("Ce membre est inconnu.")] for name in unknown[:20]}
        found: Any = None
        try:
            found = super().to_internal_value(data)
        except serializers.ValidationError as error:
            add_faults(wrong, error)
        if wrong:
            raise serializers.ValidationError(wrong)
        return found

    def sort_out(self) -> tuple[dict[str, Any], Faults]:
        """What is right of the data, by member, and what is wrong of it: so that the rules can judge the rest as well.

        Only for serializers whose fields keep their own names (no `source`). ValidationError for what is no object at all.
        """
        if self.is_valid():
            return dict(self.validated_data), {}
        wrong: Faults = dict(self.errors)
        given = self.initial_data
        if not isinstance(given, dict):
            raise serializers.ValidationError(wrong)
        known = {name: value for name, value in given.items() if name in self.fields and name not in wrong}
        rest = type(self)(data=known, partial=True)
        right = dict(rest.validated_data) if rest.is_valid() else {}
        if not self.partial:
            for name, field in self.fields.items():
                if name not in right and name not in wrong and field.default is not serializers.empty:
                    right[name] = field.default() if callable(field.default) else field.default
        return right, wrong


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
    return sound(form(data=given))


def sound(query: StrictSerializer) -> dict[str, Any]:
    """The parameters that `query` has read; BadParameters at their names."""
    if not query.is_valid():
        raise BadParameters(query.errors)
    return dict(query.validated_data)
