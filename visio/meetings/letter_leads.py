"""The sentences of a letter: what happened, and what it asks. In the language that is active."""

from __future__ import annotations

from django.utils.translation import gettext as _

from visio.meetings import letter_dates, letter_words
from visio.meetings.letter_words import Told
from visio.meetings.models import DeliveryReason, Method


def kicker(told: Told) -> str:
    one, series = {
        DeliveryReason.INVITED: (_("Invitation"), _("Invitation à une réunion régulière")),
        DeliveryReason.MOVED: (_("Horaire modifié"), _("Horaire modifié")),
        DeliveryReason.CHANGED: (_("Réunion modifiée"), _("Réunion régulière modifiée")),
        DeliveryReason.CANCELLED: (_("Réunion annulée"), _("Réunion régulière annulée")),
        DeliveryReason.REMOVED: (_("Invitation retirée"), _("Invitation retirée")),
        DeliveryReason.COUNTER_REFUSED: (_("Horaire maintenu"), _("Horaire maintenu")),
        DeliveryReason.REFRESHED: (_("Version actuelle"), _("Version actuelle")),
    }[told.reason]
    if told.is_date_of_series:
        return {
            DeliveryReason.MOVED: _("Une date déplacée"),
            DeliveryReason.CHANGED: _("Une date modifiée"),
            DeliveryReason.CANCELLED: _("Une date annulée"),
        }.get(told.reason, one)
    return series if told.is_series else one


def lead(told: Told) -> str:
    meeting = told.meeting
    delegate = meeting.scheduled_by
    said = _lead_pattern(told) % {
        "name": meeting.organiser.full_name,
        "organisation": meeting.organiser.organisation.name,
        "delegate": delegate.full_name if delegate else "",
        "day": letter_words.day(told.occurrence.starts_at, meeting.time_zone, meeting.is_all_day),
        "before": letter_words.day_before(told),
        "until": letter_words.last_day(meeting),
    }
    return f"{said} {letter_dates.sentence(told)}".rstrip()


def _lead_pattern(told: Told) -> str:
    if told.reason == DeliveryReason.INVITED:
        return _invited_pattern(told)
    if told.reason == DeliveryReason.CHANGED and letter_words.only_shortened(told):
        if told.meeting.split_into.exists():
            return _(
                "%(name)s a modifié une date et les suivantes : elles font l’objet d’une nouvelle invitation, "
                "et cette série s’arrête le %(until)s."
            )
        return _("%(name)s a annulé une date et les suivantes : cette série s’arrête désormais le %(until)s.")
    if _leaves_its_old_place(told):
        return _("%(name)s a déplacé cette réunion : l’ancien horaire est libéré, une invitation au nouveau suit.")
    if told.is_date_of_series:
        return _date_patterns()[told.reason]
    return (_series_patterns() if told.is_series else _one_off_patterns())[told.reason]


def _leaves_its_old_place(told: Told) -> bool:
    """A guest of one date alone, whose series moved: the old one is taken back, the new one told by a letter of its own."""
    return told.reason == DeliveryReason.MOVED and told.delivery.method == Method.CANCEL


def _invited_pattern(told: Told) -> str:
    meeting = told.meeting
    # Its first version alone: whoever is added later knows of no earlier series.
    if meeting.split_from_id is not None and told.is_series and told.delivery.revision == 1:
        return _("%(name)s a modifié cette réunion régulière à partir du %(day)s : cette série remplace la précédente.")
    if meeting.scheduled_by is not None and meeting.scheduled_by != meeting.organiser:
        if meeting.room:
            return _("%(delegate)s vous invite à une réunion en Visio, de la part de %(name)s (%(organisation)s).")
        return _("%(delegate)s vous invite à une réunion, de la part de %(name)s (%(organisation)s).")
    if told.is_date_of_series:
        return _("%(name)s (%(organisation)s) vous invite à une date d’une réunion régulière.")
    if told.is_series:
        if meeting.room:
            return _("%(name)s (%(organisation)s) vous invite à une réunion régulière en Visio.")
        return _("%(name)s (%(organisation)s) vous invite à une réunion régulière.")
    if meeting.room:
        return _("%(name)s (%(organisation)s) vous invite à une réunion en Visio.")
    return _("%(name)s (%(organisation)s) vous invite à une réunion.")


def _one_off_patterns() -> dict[DeliveryReason, str]:
    return {
        DeliveryReason.MOVED: _("%(name)s a déplacé cette réunion. Votre réponse précédente ne compte plus."),
        DeliveryReason.CHANGED: _("%(name)s a modifié cette réunion. Votre réponse reste valable."),
        DeliveryReason.CANCELLED: _("%(name)s a annulé cette réunion. Elle n’aura pas lieu."),
        DeliveryReason.REMOVED: _("%(name)s a modifié la liste : votre présence n’est plus attendue à cette réunion."),
        DeliveryReason.COUNTER_REFUSED: _("%(name)s n’a pas retenu l’horaire que vous proposiez : rien ne change."),
        DeliveryReason.REFRESHED: _("Votre agenda a demandé la version actuelle de cette réunion. La voici."),
    }


def _series_patterns() -> dict[DeliveryReason, str]:
    return {
        DeliveryReason.MOVED: _("%(name)s a déplacé toute la série. Vos réponses précédentes ne comptent plus."),
        DeliveryReason.CHANGED: _("%(name)s a modifié toute la série. Votre réponse reste valable."),
        DeliveryReason.CANCELLED: _("%(name)s a annulé toute la série. Aucune des dates n’aura lieu."),
        DeliveryReason.REMOVED: _("%(name)s a modifié la liste : votre présence n’est plus attendue à ces réunions."),
        DeliveryReason.COUNTER_REFUSED: _("%(name)s n’a pas retenu l’horaire que vous proposiez : rien ne change."),
        DeliveryReason.REFRESHED: _("Votre agenda a demandé la version actuelle de cette série. La voici."),
    }


def _date_patterns() -> dict[DeliveryReason, str]:
    return {
        DeliveryReason.MOVED: _(
            "%(name)s a déplacé une seule date, celle du %(before)s : les autres restent. "
            "Votre réponse pour cette date ne compte plus."
        ),
        DeliveryReason.CHANGED: _(
            "%(name)s a modifié une seule date, celle du %(day)s : les autres restent. Votre réponse reste valable."
        ),
        DeliveryReason.CANCELLED: _("%(name)s a annulé une seule date, celle du %(day)s : les autres restent."),
        DeliveryReason.REMOVED: _(
            "%(name)s a modifié la liste : votre présence n’est plus attendue à cette date, celle du %(day)s."
        ),
        DeliveryReason.COUNTER_REFUSED: _(
            "%(name)s n’a pas retenu l’horaire que vous proposiez pour cette date : rien ne change."
        ),
        DeliveryReason.REFRESHED: _("Votre agenda a demandé la version actuelle de cette date. La voici."),
    }


def question(told: Told) -> str:
    """Above the buttons; "" when nothing is asked: a CANCEL has no buttons (R10)."""
    if told.delivery.method == Method.CANCEL:
        return ""
    if told.reason == DeliveryReason.INVITED:
        return _("Participerez-vous ?") if not told.is_series else _("Participerez-vous à ces réunions ?")
    return {
        DeliveryReason.MOVED: _("Participerez-vous au nouvel horaire ?"),
        DeliveryReason.COUNTER_REFUSED: _("Participerez-vous à l’horaire prévu ?"),
    }.get(told.reason, _("Changer votre réponse ?"))
