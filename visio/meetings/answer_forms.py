"""Small forms: an answer to an invitation, another time that is proposed, what is cancelled."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from visio.meetings.models import Answer
from visio.meetings.scopes import Notify, Scope


class CancelForm(forms.Form):
    """What is cancelled of a series, and who hears of it."""

    scope_value = forms.ChoiceField(required=False, choices=[(scope.value, scope.value) for scope in Scope])
    notify = forms.ChoiceField(required=False, choices=[(notify.value, notify.value) for notify in Notify])
    revision = forms.IntegerField(required=False)

    def add_prefix(self, field_name: str) -> str:
        return "scope" if field_name == "scope_value" else super().add_prefix(field_name)

    @property
    def scope(self) -> Scope:
        """The narrowest unless said otherwise."""
        value = str(self["scope_value"].value() or "")
        return Scope(value) if value in set(Scope) else Scope.ONE


class AnswerForm(forms.Form):
    """An answer to an invitation."""

    answer = forms.ChoiceField(
        choices=[(Answer.ACCEPTED, ""), (Answer.TENTATIVE, ""), (Answer.DECLINED, "")],
        error_messages={
            "required": gettext_lazy("Choisissez une réponse."),
            "invalid_choice": gettext_lazy("Choisissez une réponse."),
        },
    )
    comment = forms.CharField(
        required=False,
        max_length=500,
        error_messages={"max_length": gettext_lazy("Le message a %(show_value)d caractères : 500 au plus.")},
    )
    # The version of the meeting that the person saw.
    revision = forms.IntegerField(required=False)

    def clean_revision(self) -> int | None:
        """Only a version that can have been seen counts; anything else is as good as none."""
        seen: int | None = self.cleaned_data["revision"]
        return seen if seen is not None and seen > 0 else None
