"""What the demonstration organisations do all day: pure, and the same whenever it is asked again for the same day."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from suite.portal.demo_rites import CLAIRE, KARIM, LEA, RITES, SOPHIE, SUPPLIER, Guest

PARIS = "Europe/Paris"
LUNCH = dt.time(12, 30)
FIRST_QUARTER, LAST_QUARTER = 35, 70  # 8:45 and 17:30, in quarters of an hour since midnight
OVERSEAS_QUARTER = 48  # noon in La Réunion, when Paris begins


@dataclass(frozen=True)
class Person:
    """One line of demo_people.json, as far as planning needs it."""

    email: str
    given_name: str
    unit: str
    domain: str
    zone: str
    is_manager: bool


@dataclass(frozen=True)
class PlannedMeeting:
    """One meeting; `key` is stable, so that planning the same day again names the same meeting."""

    key: str
    organiser: str
    title: str
    date: dt.date
    time: dt.time
    minutes: int
    guests: tuple[Guest, ...] = ()
    zone: str = PARIS
    private: bool = False
    place: str = ""
    description: str = ""
    wants_room: bool = True
    wants_tchap: bool = False


# Title, minutes, private, how many colleagues.
SMALL_ONES: tuple[tuple[str, int, bool, int], ...] = (
    ("Point à deux", 30, False, 1),
    ("Préparation du comité", 45, False, 2),
    ("Relecture de la note", 30, False, 1),
    ("Atelier d’écriture", 90, False, 3),
    ("Démonstration aux utilisateurs", 60, False, 4),
    ("Point d’avancement", 30, False, 3),
    ("Analyse d’incident", 45, False, 3),
    ("Revue de code", 60, False, 2),
    ("Appel avec un prestataire", 30, False, 0),
    ("Rendez-vous médical", 60, True, 0),
    ("Entretien de recrutement", 60, True, 1),
    ("Travail sans interruption", 120, True, 0),
    ("Rendez-vous personnel", 45, True, 0),
)
ON_CALL = "Point d’astreinte"
# A demonstration may be looked at on any day: a Saturday or Sunday is planned like the fullest weekday.
TUESDAY = 1


def window(today: dt.date) -> list[dt.date]:
    """The days shown: today, and the weekdays from seven days ago to the Friday of the week seven days ahead."""
    first = today - dt.timedelta(days=7)
    ahead = today + dt.timedelta(days=7)
    last = max(ahead, ahead - dt.timedelta(days=ahead.weekday()) + dt.timedelta(days=4))
    days = (first + dt.timedelta(days=count) for count in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 or day == today]


def plan_day(people: Sequence[Person], day: dt.date) -> list[PlannedMeeting]:
    """Everything of one day: the rites that fall on it, then small meetings drawn with the day as the seed."""
    return [*_rites(people, day), *_small_ones(people, day)]


def _rites(people: Sequence[Person], day: dt.date) -> list[PlannedMeeting]:
    known = {person.email: person for person in people}
    weekday = day.weekday() if day.weekday() < 5 else TUESDAY
    planned = []
    for rite in RITES:
        if weekday not in rite.weekdays or rite.organiser not in known:
            continue
        guests = {guest.email: guest for guest in rite.people}
        for person in people:
            if person.unit in rite.units and person.email != rite.organiser:
                guests.setdefault(person.email, Guest(person.email))
        planned.append(
            PlannedMeeting(
                key=rite.key,
                organiser=rite.organiser,
                title=rite.title,
                date=day,
                time=rite.time,
                minutes=rite.minutes,
                guests=tuple(guests.values()),
                private=rite.private,
                place=rite.place,
                description=rite.description,
                wants_room=rite.wants_room,
                wants_tchap=rite.wants_tchap,
            )
        )
    return planned


def _small_ones(people: Sequence[Person], day: dt.date) -> list[PlannedMeeting]:
    planned = []
    for person in people:
        # A string seed is hashed by SHA-512: the same on every machine and every run.
        chance = random.Random(f"{day.isoformat()} {person.email}")  # noqa: S311  nothing secret is drawn here
        for number in range(chance.choices((0, 1, 2), weights=(3, 5, 2))[0]):
            title, minutes, private, company = chance.choice(SMALL_ONES)
            first = FIRST_QUARTER if person.zone == PARIS else OVERSEAS_QUARTER
            quarter = chance.randrange(first, LAST_QUARTER - minutes // 15)
            start = dt.time(quarter // 4, quarter % 4 * 15)
            if start <= LUNCH < dt.time((quarter * 15 + minutes) // 60, (quarter * 15 + minutes) % 60):
                continue
            others = [other for other in people if other.domain == person.domain and other.email != person.email]
            near = [other for other in others if other.unit == person.unit]
            pool = near if len(near) >= company and chance.random() < 0.7 else others
            guests = [Guest(other.email) for other in chance.sample(pool, min(company, len(pool)))]
            if title == "Appel avec un prestataire":
                guests.append(SUPPLIER)
            planned.append(
                PlannedMeeting(
                    key=f"petit-{number}",
                    organiser=person.email,
                    title=title,
                    date=day,
                    time=start,
                    minutes=minutes,
                    guests=tuple(guests),
                    zone=person.zone,
                    private=private,
                    wants_room=not private,
                )
            )
    return planned


def plan_moment(people: Sequence[Person], now: dt.datetime) -> list[PlannedMeeting]:
    """For whoever looks at `now` (aware, in the organisers' zone): one meeting under way and one that starts soon.

    In office hours; at other times a single call of the people on duty, so that the page of a demonstration is never
    bare. Nothing after 22:30, when it would cross midnight.
    """
    known = {person.email for person in people}
    if not {CLAIRE, KARIM, SOPHIE, LEA} <= known or (now.hour, now.minute) >= (22, 30):
        return []
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    soon = quarter + dt.timedelta(minutes=30)
    guests = (Guest(CLAIRE, answer="accepted"), Guest(SOPHIE, answer="accepted"), Guest(LEA), SUPPLIER)
    in_office_hours = 8 <= now.hour < 18
    moment = [
        PlannedMeeting(
            key="bientot",
            organiser=KARIM,
            title="Préparation de la mise en service" if in_office_hours else ON_CALL,
            date=soon.date(),
            time=soon.time(),
            minutes=30,
            guests=guests,
            wants_tchap=True,
        )
    ]
    if in_office_hours:
        running = quarter - dt.timedelta(minutes=15)
        moment.append(
            PlannedMeeting(
                key="en-cours",
                organiser=SOPHIE,
                title="Revue des maquettes",
                date=running.date(),
                time=running.time(),
                minutes=45,
                guests=(
                    Guest(LEA, answer="accepted"),
                    Guest(KARIM, answer="accepted"),
                    Guest(CLAIRE, answer="tentative"),
                ),
            )
        )
    return moment
