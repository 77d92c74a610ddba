"""Whether a draft's rule makes a series: the part of `drafts.validate_draft` that needs its dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from visio.meetings.recurrence import RuleRefused
from visio.meetings.timetable import Timetable

if TYPE_CHECKING:
    from visio.meetings.drafts import MeetingDraft

MOST_DATES = 1000


def validate_rule(draft: MeetingDraft, refuse: Callable[[str, str], None]) -> None:
    """Refuse, at "rule", "rdates" or "exdates", what cannot be a series. The zone and the start are known to be good."""
    for field, dates in (("rdates", draft.rdates), ("exdates", draft.exdates)):
        if len(dates) > MOST_DATES:
            refuse(field, _("%(most)s dates au plus.") % {"most": MOST_DATES})
            return
    if not (draft.rule or draft.rdates):
        return
    try:
        timetable = Timetable.of_draft(draft)
        first = timetable.first()
    except RuleRefused as refused:
        refuse("rule", refused.message)
        return
    if first is None:
        refuse(
            "rule", _("Aucune date : la série se termine avant sa première date, ou toutes ses dates sont retirées.")
        )
