"""Time zones as people name them: the French territories first, then every zone of the IANA list (zone.tab)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from babel import Locale
from babel.dates import get_timezone_location
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

# name of the zone, the place, the place inside a sentence ("13:30 à La Réunion")
FRENCH_ZONES: tuple[tuple[str, str | Promise, str | Promise], ...] = (
    ("Europe/Paris", gettext_lazy("Paris"), gettext_lazy("à Paris")),
    ("America/Guadeloupe", gettext_lazy("Guadeloupe"), gettext_lazy("en Guadeloupe")),
    ("America/Martinique", gettext_lazy("Martinique"), gettext_lazy("en Martinique")),
    ("America/Cayenne", gettext_lazy("Guyane"), gettext_lazy("en Guyane")),
    ("Indian/Reunion", gettext_lazy("La Réunion"), gettext_lazy("à La Réunion")),
    ("Indian/Mayotte", gettext_lazy("Mayotte"), gettext_lazy("à Mayotte")),
    ("Pacific/Noumea", gettext_lazy("Nouvelle-Calédonie"), gettext_lazy("en Nouvelle-Calédonie")),
    ("Pacific/Tahiti", gettext_lazy("Tahiti"), gettext_lazy("à Tahiti")),
    ("Pacific/Marquesas", gettext_lazy("Îles Marquises"), gettext_lazy("aux îles Marquises")),
    ("Pacific/Gambier", gettext_lazy("Îles Gambier"), gettext_lazy("aux îles Gambier")),
    ("Pacific/Wallis", gettext_lazy("Wallis-et-Futuna"), gettext_lazy("à Wallis-et-Futuna")),
    ("America/Miquelon", gettext_lazy("Saint-Pierre-et-Miquelon"), gettext_lazy("à Saint-Pierre-et-Miquelon")),
    ("America/St_Barthelemy", gettext_lazy("Saint-Barthélemy"), gettext_lazy("à Saint-Barthélemy")),
    ("America/Marigot", gettext_lazy("Saint-Martin"), gettext_lazy("à Saint-Martin")),
    ("Indian/Kerguelen", gettext_lazy("Îles Kerguelen"), gettext_lazy("aux îles Kerguelen")),
)
_FRENCH = {name: (place, where) for name, place, where in FRENCH_ZONES}


@dataclass(frozen=True)
class OfferedZone:
    name: str  # IANA
    place: str  # "La Réunion", "Tokyo (Japon)"


def zone_place(name: str) -> str:
    """The place that a zone is named after, in the reader's language: "Paris", "La Réunion", "Tokyo"."""
    if name in _FRENCH:
        return str(_FRENCH[name][0])
    return _city(name, _language())


def zone_where(name: str) -> str:
    """The place inside a sentence: "à La Réunion", "en Guyane", "à Tokyo"."""
    if name in _FRENCH:
        return str(_FRENCH[name][1])
    return _("à %(city)s") % {"city": _city(name, _language())}


def offset_words(name: str, at: dt.datetime) -> str:
    """ "UTC+4", "UTC−3:30", "UTC": the zone's offset at the instant `at`."""
    offset = at.astimezone(zoneinfo.ZoneInfo(name)).utcoffset() or dt.timedelta()
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "−"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def zone_options(*, chosen: str, at: dt.datetime) -> SafeString:
    """The `<option>`s of a zone list, offsets as of the day of `at`; `chosen` is selected even when the list lacks it."""
    day = at.astimezone(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    options = _options(_language(), day)
    marker = format_html('value="{}"', chosen)
    if marker in options:
        # Every piece was escaped when the list was made; only the attribute is added.
        return mark_safe(options.replace(marker, marker + " selected", 1))  # noqa: S308
    return format_html('<option value="{}" selected>{}</option>{}', chosen, chosen, options)


@lru_cache(maxsize=24)
def _options(language: str, day: dt.datetime) -> SafeString:
    french = [(name, str(place), offset_words(name, day)) for name, place, _where in FRENCH_ZONES]
    others = [(zone.name, zone.place, offset_words(zone.name, day)) for zone in _other_zones(language)]
    line = '<option value="{}">{} ({})</option>'
    return format_html(
        '<optgroup label="{}">{}</optgroup><optgroup label="{}">{}</optgroup>',
        _("Territoires français"),
        format_html_join("", line, french),
        _("Reste du monde"),
        format_html_join("", line, others),
    )


@lru_cache(maxsize=8)
def _other_zones(language: str) -> tuple[OfferedZone, ...]:
    territories = Locale.parse(language).territories
    offered = []
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for row in table.splitlines():
        if row.startswith("#"):
            continue
        country, _coordinates, name = row.split("\t")[:3]
        if name in _FRENCH:
            continue
        city, land = _city(name, language), territories.get(country, country)
        offered.append(OfferedZone(name, city if city == land else f"{city}, {land}"))
    return tuple(sorted(offered, key=lambda zone: zone.place))


@lru_cache(maxsize=2000)
def _city(name: str, language: str) -> str:
    if "/" not in name:
        return name
    # CLDR lacks a few names outside French and gives the path's tail: "Argentina/Ushuaia".
    return get_timezone_location(name, locale=language, return_city=True).rsplit("/", 1)[-1]


def _language() -> str:
    return (get_language() or "fr").split("-")[0]
