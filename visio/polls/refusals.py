"""What the operations on polls refuse, and why; `.message` is for the person, in the current language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from suite.core.refusals import Refusal

if TYPE_CHECKING:
    from visio.polls.drafts import Faults


class PollRefused(Exception):
    """The draft breaks rules; see `.faults`."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(", ".join(sorted(faults.errors)))
        self.faults = faults


class NotPollOrganiser(Exception):
    """Only the organiser may do this."""


class PollConflict(Exception):
    """Somebody changed the poll since the form was shown."""


class VoteRefused(Refusal):
    """ "closed", "chosen", "late", "removed", "incomplete", "unknown_date" or "unknown_choice"."""

    WORDS = {
        "closed": _("Ce sondage est clos : les réponses ne sont plus prises."),
        "chosen": _("La date est déjà choisie : les réponses ne sont plus prises."),
        "late": _("La limite pour répondre est passée."),
        "removed": _("Vous n’êtes plus parmi les personnes consultées."),
        "incomplete": _("Répondez pour chaque date : oui, si besoin ou non."),
        "unknown_date": _("Cette date n’est plus proposée. Les dates à jour sont ci-dessous."),
        "unknown_choice": _("Répondez par oui, si besoin ou non."),
    }


class ChoiceRefused(Refusal):
    """ "chosen" (another date was), "unknown_date", "past"."""

    WORDS = {
        "chosen": _("Une autre date est déjà choisie."),
        "unknown_date": _("Cette date n’est plus proposée."),
        "past": _("Cette date est déjà passée : choisissez-en une à venir."),
    }


class PollNotOpen(Refusal):
    """ "closed" or "chosen" (cannot be edited, closed or reminded), "open" (cannot be reopened)."""

    WORDS = {
        "closed": _("Ce sondage est clos."),
        "chosen": _("La date de ce sondage est déjà choisie."),
        "open": _("Ce sondage est déjà ouvert."),
    }


class ReminderRefused(Refusal):
    """ "closed", "chosen", "late" (nobody can answer any more), "nobody" (all have), "too_soon" (done within a day)."""

    WORDS = {
        "closed": _("Ce sondage est clos : il n’y a plus rien à rappeler."),
        "chosen": _("La date est déjà choisie : il n’y a plus rien à rappeler."),
        "late": _("La limite pour répondre est passée : prolongez-la d’abord."),
        "nobody": _("Tout le monde a répondu."),
        "too_soon": _("Une relance est déjà partie depuis moins d’un jour."),
    }
