"""What an organiser asks for, before it is a meeting: its shape, its rules, and the people behind the typed lines."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from email_validator import EmailNotValidError, validate_email

from suite.agents.models import Agent
from suite.core.plain import clean_text, is_control, one_line
from visio.meetings import wallclock
from visio.meetings.models import Privacy, Role
from visio.meetings.rule_checks import validate_rule

TITLE_LENGTH = 200
PLACE_LENGTH = 200
NAME_LENGTH = 250
DESCRIPTION_LENGTH = 10_000
DAY_MINUTES = 24 * 60
MOST_MINUTES = 14 * DAY_MINUTES
# A day may have 25 hours, and an occurrence lasts 14 times 24 at most.
MOST_DAYS = 13
MOST_ATTENDEES = 10_000

_SEPARATORS = frozenset(",;\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")


@dataclass(frozen=True)
class Invitee:
    """One person to invite. `email` in lower case; `agent_id` when the directory knows them."""

    email: str
    name: str = ""
    agent_id: int | None = None
    role: str = Role.REQUIRED.value


@dataclass(frozen=True)
class MeetingDraft:
    """A meeting as its organiser wants it. Times are a wall clock; `attendees` does not hold the organiser.

    All-day: `minutes` are whole days and `start_time` says nothing. `rule`: an RRULE value ("FREQ=WEEKLY;BYDAY=TU"), "" for a
    one-off; `rdates` and `exdates` are naive wall clocks of `time_zone`. `resources`: ids of rooms and equipment to book.
    """

    title: str
    start_date: dt.date
    start_time: dt.time
    time_zone: str
    minutes: int
    description: str = ""
    place: str = ""
    privacy: str = Privacy.PUBLIC.value
    wants_room: bool = True
    wants_tchap: bool = True
    attendees: tuple[Invitee, ...] = ()
    is_all_day: bool = False
    rule: str = ""
    rdates: tuple[dt.datetime, ...] = ()
    exdates: tuple[dt.datetime, ...] = ()
    resources: tuple[int, ...] = ()

    @property
    def start(self) -> dt.datetime:
        """The naive wall clock of the start."""
        return dt.datetime.combine(self.start_date, dt.time() if self.is_all_day else self.start_time)

    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """Start and end in UTC of the (first) date; UnknownZone when the zone is none."""
        if self.is_all_day:
            return wallclock.day_span(self.start_date, self.time_zone, self.minutes // DAY_MINUTES)
        return wallclock.span(self.start_date, self.start_time, self.time_zone, self.minutes)


@dataclass(frozen=True)
class Problem:
    """A typed line that names nobody. `reason`: "not_an_address", "unknown_name" or "ambiguous_name"."""

    text: str
    reason: str

    @property
    def message(self) -> str:
        """For the person, in the current language: what is wrong and what to write."""
        words = {
            "not_an_address": _(
                "« %(text)s » n’est pas une adresse complète. "
                "Écrivez l’adresse entière, par exemple m.durand@finistere.gouv.fr."
            ),
            "unknown_name": _("« %(text)s » n’est pas dans l’annuaire. Écrivez son adresse électronique."),
            "ambiguous_name": _("Plusieurs agents s’appellent « %(text)s ». Écrivez l’adresse de la bonne personne."),
        }
        return words[self.reason] % {"text": self.text[:120]}


@dataclass(frozen=True)
class Resolution:
    """Who the lines name, in their order, each once; and what could not be understood.

    `organiser_dropped`: the organiser was among them, which needs no invitation. `folded`: people named more than once.
    """

    invitees: tuple[Invitee, ...]
    problems: tuple[Problem, ...] = ()
    organiser_dropped: bool = False
    folded: tuple[str, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What was set right without asking, for the person, in the current language."""
        said: list[str] = []
        if self.organiser_dropped:
            said.append(_("Vous organisez cette réunion : inutile de vous inviter vous-même."))
        if self.folded:
            said.append(
                ngettext(
                    "%(names)s était dans la liste plusieurs fois : une seule invitation partira.",
                    "%(names)s étaient dans la liste plusieurs fois : une seule invitation partira à chaque personne.",
                    len(self.folded),
                )
                % {"names": ", ".join(self.folded)}
            )
        return tuple(said)


@functools.lru_cache(maxsize=16_384)  # A pasted list is read by the form, then by the rules.
def address_or_none(text: str) -> str | None:
    """The address in lower case, its domain in ASCII (RFC 5891), when it is one that mail can reach; else None."""
    try:
        # test_environment only lets the reserved ".test" through.
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return None
    return (checked.ascii_email or checked.normalized).lower()


def pieces(lines: Iterable[str]) -> Iterator[str]:
    """Split what was typed or pasted: commas, semicolons and line breaks separate, except inside quotes."""
    for line in lines:
        piece: list[str] = []
        quoted = False
        for character in line:
            if character == '"':
                quoted = not quoted
            if character in _SEPARATORS and not (quoted and character in ",;"):
                yield "".join(piece).strip()
                piece, quoted = [], False
            else:
                piece.append(character)
        yield "".join(piece).strip()


def resolve_invitees(lines: Sequence[str], *, organiser: Agent, role: str = Role.REQUIRED.value) -> Resolution:
    """Understand typed lines: "Nom <a@b.fr>", "a@b.fr", or the full name of one agent. Two queries at most."""
    named: list[tuple[str, str, str | None]] = []
    problems: list[Problem] = []
    for text in pieces(lines):
        if not text:
            continue
        if "@" not in text:
            named.append((text, "", None))
            continue
        name, address = parseaddr(text) if "<" in text else ("", text)
        email = address_or_none(address.strip())
        if email is None:
            problems.append(Problem(text=text, reason="not_an_address"))
        else:
            named.append((text, one_line(name)[:NAME_LENGTH], email))
    by_email = _agents_by_email({email for _text, _name, email in named if email})
    by_name = _agents_by_name({text for text, _name, email in named if email is None})

    chosen: dict[str, Invitee] = {}
    folded: dict[str, None] = {}
    organiser_dropped = False
    for text, name, email in named:
        if email is None:
            agents = by_name.get(one_line(text).lower(), [])
            if len(agents) != 1:
                problems.append(Problem(text=text, reason="ambiguous_name" if agents else "unknown_name"))
                continue
            agent: Agent | None = agents[0]
        else:
            agent = by_email.get(email)
        if agent is not None:
            invitee = Invitee(email=agent.email.lower(), name=agent.full_name, agent_id=agent.pk, role=role)
        else:
            invitee = Invitee(email=email or "", name=name, role=role)
        if is_organiser(invitee, organiser):
            organiser_dropped = True
        elif invitee.email in chosen:
            folded[invitee.name or invitee.email] = None
        else:
            chosen[invitee.email] = invitee
    return Resolution(
        invitees=tuple(chosen.values()),
        problems=tuple(problems),
        organiser_dropped=organiser_dropped,
        folded=tuple(folded),
    )


def is_organiser(invitee: Invitee, organiser: Agent) -> bool:
    return invitee.agent_id == organiser.pk or invitee.email == organiser.email.lower()


def _agents_by_email(emails: set[str]) -> dict[str, Agent]:
    if not emails:
        return {}
    agents = Agent.objects.annotate(lower_email=Lower("email")).filter(lower_email__in=emails, is_active=True)
    return {agent.email.lower(): agent for agent in agents}


def _agents_by_name(names: set[str]) -> dict[str, list[Agent]]:
    """Active agents whose "prénom nom" or "nom prénom" is one of `names`, accents kept, case ignored."""
    wanted = {one_line(name).lower() for name in names}
    if not wanted:
        return {}
    forward = Lower(Concat("given_name", Value(" "), "usual_name"))
    backward = Lower(Concat("usual_name", Value(" "), "given_name"))
    found: dict[str, list[Agent]] = {}
    agents = Agent.objects.annotate(forward=forward, backward=backward).filter(
        Q(forward__in=wanted) | Q(backward__in=wanted), is_active=True
    )
    for agent in agents:
        for key in {f"{agent.given_name} {agent.usual_name}".lower(), f"{agent.usual_name} {agent.given_name}".lower()}:
            if key in wanted:
                found.setdefault(key, []).append(agent)
    return found


def validate_draft(
    draft: MeetingDraft,
    *,
    now: dt.datetime,
    unchanged_start: dt.datetime | None = None,
    may_have_begun: bool = False,
) -> dict[str, list[str]]:
    """What is wrong, by field of MeetingDraft; empty when nothing is. The same rules for the form and the API.

    `unchanged_start`: the start that an edited meeting already has, which may be past; `may_have_begun`: any may.
    """
    wrong: dict[str, list[str]] = {}

    def refuse(field: str, words: str) -> None:
        wrong.setdefault(field, []).append(words)

    for field, text, longest in (("title", draft.title, TITLE_LENGTH), ("place", draft.place, PLACE_LENGTH)):
        if any(is_control(character) for character in text):
            refuse(field, _("Écrivez sur une seule ligne, sans caractère de contrôle."))
        if len(text) > longest:
            refuse(
                field,
                _("%(longest)s caractères au plus : il y en a %(length)s.") % {"longest": longest, "length": len(text)},
            )
    if not draft.title.strip():
        refuse("title", _("Donnez un titre à la réunion."))
    if len(draft.description) > DESCRIPTION_LENGTH:
        refuse(
            "description",
            _("%(longest)s caractères au plus : il y en a %(length)s.")
            % {"longest": DESCRIPTION_LENGTH, "length": len(draft.description)},
        )
    if clean_text(draft.description) != draft.description.replace("\r\n", "\n").strip():
        refuse("description", _("Retirez les caractères de contrôle invisibles de ce texte."))
    if draft.privacy not in Privacy.values:
        refuse("privacy", _("Choisissez qui voit cette réunion."))
    if draft.minutes < 1:
        refuse("minutes", _("La fin doit venir après le début."))
    elif draft.minutes > MOST_MINUTES:
        refuse("minutes", _("Une réunion dure quatorze jours au plus."))
    if draft.is_all_day and draft.minutes % DAY_MINUTES:
        refuse("minutes", _("Une réunion sur la journée dure des jours entiers."))
    elif draft.is_all_day and draft.minutes > MOST_DAYS * DAY_MINUTES:
        refuse("minutes", _("Une réunion sur la journée dure treize jours au plus."))
    try:
        starts_at, ends_at = draft.span()
    except wallclock.UnknownZone:
        refuse("time_zone", _("Ce fuseau horaire n’existe pas."))
    except OverflowError:
        refuse("start_date", _("Cette date est hors du calendrier."))
    else:
        if starts_at.year > now.year + 50:
            refuse("start_date", _("Choisissez une date dans les cinquante ans."))
        # A whole day has begun at midnight; it is past once it is over.
        edge = ends_at if draft.is_all_day else starts_at
        if edge < now.replace(second=0, microsecond=0) and not may_have_begun and starts_at != unchanged_start:
            refuse("start_date", _("Le début est déjà passé : choisissez une heure à venir."))
        if "minutes" not in wrong and now.year - 50 <= starts_at.year <= now.year + 50:
            validate_rule(draft, refuse)
    _validate_attendees(draft.attendees, refuse)
    return wrong


def _validate_attendees(attendees: Sequence[Invitee], refuse: Callable[[str, str], None]) -> None:
    if len(attendees) > MOST_ATTENDEES:
        refuse("attendees", _("%(most)s participants au plus.") % {"most": MOST_ATTENDEES})
    for invitee in attendees:
        if invitee.agent_id is None and address_or_none(invitee.email) is None:
            refuse("attendees", Problem(text=invitee.email, reason="not_an_address").message)
        if invitee.role not in {Role.REQUIRED, Role.OPTIONAL}:
            refuse("attendees", _("Un participant est indispensable ou facultatif."))
        if len(invitee.name) > NAME_LENGTH or any(is_control(character) for character in invitee.name):
            refuse("attendees", _("Le nom « %(name)s » ne convient pas.") % {"name": one_line(invitee.name)[:60]})
