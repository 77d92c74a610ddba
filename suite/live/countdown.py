"""How long until, or since: "12 min", "2 h 05", "3 jours". The same words that assets/live/countdown.js writes as time passes."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

DAY = 24 * 60


def templates() -> dict[str, dict[str, str] | str]:
    """For the browser: {n}, {h}, {m} stand for numbers."""
    return {
        "minutes": {
            "one": ngettext("%(n)s\u00a0min", "%(n)s\u00a0min", 1),
            "other": ngettext("%(n)s\u00a0min", "%(n)s\u00a0min", 2),
        },
        "hours": {
            "one": ngettext("%(n)s\u00a0h", "%(n)s\u00a0h", 1),
            "other": ngettext("%(n)s\u00a0h", "%(n)s\u00a0h", 2),
        },
        # Translators: hours and minutes of a duration, as in "2 h 05".
        "hours_minutes": _("%(h)s\u00a0h\u00a0%(m)s"),
        "days": {"one": ngettext("%(n)s jour", "%(n)s jours", 1), "other": ngettext("%(n)s jour", "%(n)s jours", 2)},
    }


def minutes_until(moment: dt.datetime, now: dt.datetime) -> int:
    """Whole minutes between the two, rounded up before `moment` and down after it, never negative."""
    seconds = (moment - now).total_seconds()
    return int(-(-seconds // 60)) if seconds > 0 else int(-seconds // 60)


def duration_words(minutes: int) -> str:
    """`minutes` (not negative) in the active language; from a day on, whole days."""
    if minutes < 60:
        return ngettext("%(n)s\u00a0min", "%(n)s\u00a0min", minutes) % {"n": minutes}
    if minutes >= DAY:
        days = minutes // DAY
        return ngettext("%(n)s jour", "%(n)s jours", days) % {"n": days}
    hours, rest = divmod(minutes, 60)
    if rest:
        return _("%(h)s\u00a0h\u00a0%(m)s") % {"h": hours, "m": f"{rest:02d}"}
    return ngettext("%(n)s\u00a0h", "%(n)s\u00a0h", hours) % {"n": hours}
