"""The e-mails of a poll, owed in the transaction that makes them due: one a person, in that person's language and zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from suite.core.plain import one_line
from suite.mail import outbox
from suite.mail.letter import Button, Fact, Section, render_letter
from suite.mail.models import OutboxMail, OutboxState
from visio.meetings import words, zones
from visio.polls.models import Poll, PollOption, PollParticipant
from visio.polls.tokens import poll_url

KIND = "poll"


def prefix(poll: Poll, what: str = "") -> str:
    """What the keys of this poll's letters (of one kind) begin with."""
    return f"poll:{poll.pk}:{what}:" if what else f"poll:{poll.pk}:"


@dataclass(frozen=True)
class _Reader:
    """Whom a letter speaks to."""

    participant: PollParticipant
    language: str
    zone: str

    @classmethod
    def of(cls, participant: PollParticipant, poll: Poll) -> _Reader:
        agent = participant.agent
        if agent is not None:
            return cls(participant, agent.language, agent.time_zone)
        return cls(participant, poll.organiser.language, poll.time_zone)


def owe_invitations(*, poll: Poll, people: Iterable[PollParticipant], now: dt.datetime) -> int:
    """Ask these people; each once in the poll's life. How many letters that makes."""
    return _owe_asking(poll, people, what="invite", round_="", now=now)


def owe_reopened(*, poll: Poll, people: Iterable[PollParticipant], now: dt.datetime) -> int:
    """Say that answers are taken again."""
    return _owe_asking(poll, people, what="reopened", round_=_round(now), now=now)


def owe_new_dates(*, poll: Poll, people: Iterable[PollParticipant], now: dt.datetime) -> int:
    """Say that there are dates to answer that were not there before."""
    return _owe_asking(poll, people, what="dates", round_=_round(now), now=now)


def owe_reminders(*, poll: Poll, people: Iterable[PollParticipant], round_: str, now: dt.datetime) -> int:
    """Remind these people; at most once a `round_` ("hand 20261122T101500Z", "two_days 2026…")."""
    return _owe_asking(poll, people, what="reminder", round_=round_, now=now)


def owe_closed(*, poll: Poll, people: Iterable[PollParticipant], now: dt.datetime) -> int:
    """Say that no answer is expected any more, to those who heard that one was."""
    owed = 0
    for participant in people:
        reader = _Reader.of(participant, poll)
        with translation.override(reader.language):
            owed += _owe(
                poll,
                reader,
                key=f"{prefix(poll, 'closed')}{_round(now)}:{participant.pk}",
                subject=_("Sondage clos : %(title)s") % {"title": poll.title},
                paragraphs=[
                    _("%(name)s a clos ce sondage sans choisir de date. Aucune réponse n’est plus attendue.")
                    % {"name": poll.organiser.full_name}
                ],
                now=now,
            )
    return owed


def withdraw_unsent(poll: Poll) -> set[int]:
    """Take back every letter of this poll that has not gone; the ids of people who never heard of the poll."""
    outbox.withdraw(prefix(poll))
    never = OutboxMail.objects.filter(key__startswith=prefix(poll, "invite"), state=OutboxState.WITHDRAWN)
    return {int(key.rpartition(":")[2]) for key in never.values_list("key", flat=True)}


def forget(participant: PollParticipant) -> None:
    """Take back what has not gone to somebody who is no longer asked."""
    mine = OutboxMail.objects.filter(
        key__startswith=prefix(participant.poll), key__endswith=f":{participant.pk}", state=OutboxState.OWED
    )
    mine.update(state=OutboxState.WITHDRAWN)


def _owe_asking(poll: Poll, people: Iterable[PollParticipant], *, what: str, round_: str, now: dt.datetime) -> int:
    options = list(PollOption.objects.filter(poll=poll))
    owed = 0
    for participant in people:
        reader = _Reader.of(participant, poll)
        with translation.override(reader.language):
            subject, lead, button = _asking_words(what, poll)
            owed += _owe(
                poll,
                reader,
                key=":".join([prefix(poll, what)[:-1], *([round_] if round_ else []), str(participant.pk)]),
                subject=subject,
                paragraphs=[lead],
                sections=[_dates(options, reader)],
                facts=_facts(poll, reader),
                buttons=[Button(button, poll_url(participant))],
                now=now,
                # After its deadline nobody can answer.
                useless_after=poll.deadline,
            )
    return owed


def _asking_words(what: str, poll: Poll) -> tuple[str, str, str]:
    """(subject, sentence, button) in the current language."""
    title, who = {"title": poll.title}, {"name": poll.organiser.full_name, "where": poll.organiser.organisation.name}
    match what:
        case "reminder":
            return (
                _("Rappel, sondage : %(title)s") % title,
                _("%(name)s, %(where)s, attend encore votre réponse pour choisir la date.") % who,
                _("Répondre au sondage"),
            )
        case "dates":
            return (
                _("Sondage, nouvelles dates : %(title)s") % title,
                _("%(name)s, %(where)s, propose de nouvelles dates. Vos réponses aux autres dates sont gardées.") % who,
                _("Compléter ma réponse"),
            )
        case "reopened":
            return (
                _("Sondage rouvert : %(title)s") % title,
                _("%(name)s, %(where)s, reprend ce sondage : vous pouvez répondre, ou changer votre réponse.") % who,
                _("Répondre au sondage"),
            )
        case _:
            return (
                _("Sondage : %(title)s") % title,
                _("%(name)s, %(where)s, prépare une réunion et vous demande à quelles dates vous pouvez.") % who,
                _("Répondre au sondage"),
            )


def _dates(options: Sequence[PollOption], reader: _Reader) -> Section:
    lines = []
    for option in options:
        day = words.local(option.starts_at, reader.zone).date()
        lines.append(
            Fact(
                # Always with the year: a letter may be read next year.
                words.short_day(day, today=dt.date.min),
                words.hours(option.starts_at, option.ends_at, reader.zone),
            )
        )
    heading = _("Dates proposées (heure de %(place)s)") % {"place": zones.zone_place(reader.zone)}
    return Section(heading, lines)


def _facts(poll: Poll, reader: _Reader) -> list[Fact]:
    facts = [Fact(_("Durée"), words.duration(poll.minutes))]
    if poll.place:
        facts.append(Fact(_("Lieu"), poll.place))
    if poll.deadline is not None:
        day = words.full_day(words.local(poll.deadline, reader.zone).date())
        hour = words.hour(poll.deadline, reader.zone)
        facts.append(Fact(_("Répondre avant"), _("%(day)s, %(hour)s") % {"day": day, "hour": hour}))
    if poll.description:
        facts.append(Fact(_("Objet"), poll.description))
    return facts


def _owe(
    poll: Poll,
    reader: _Reader,
    *,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    now: dt.datetime,
    facts: Sequence[Fact] = (),
    sections: Sequence[Section] = (),
    buttons: Sequence[Button] = (),
    useless_after: dt.datetime | None = None,
) -> bool:
    participant, organiser = reader.participant, poll.organiser
    foot = [_("Ce courriel est pour %(email)s.") % {"email": participant.email}]
    if buttons:
        foot.append(_("Le lien est personnel : ne le transférez pas."))
    text, html = render_letter(
        language=reader.language,
        subject=subject,
        kicker=_("Sondage de dates"),
        title=poll.title,
        paragraphs=paragraphs,
        facts=facts,
        sections=sections,
        buttons=buttons,
        foot=foot,
    )
    return outbox.owe(
        key=key,
        kind=KIND,
        recipient=participant.email,
        recipient_name=participant.name,
        subject=one_line(subject),
        text=text,
        html=html,
        due_at=now,
        sender_name=_("%(name)s via Visio") % {"name": organiser.full_name},
        reply_to=organiser.email,
        reply_to_name=organiser.full_name,
        useless_after=useless_after,
    )


def _round(now: dt.datetime) -> str:
    return f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%S%fZ}"
