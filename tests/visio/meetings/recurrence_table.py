"""Rules and the dates they make, written by hand: the examples of RFC 5545 §3.8.5.3, then what calendars get wrong.

Dates are words: "1997-09-02" is that day at the start's time, "1997-09-02T03:30" at another, "1998-01-01>1998-01-31" every
day from one to the other, "1997-09-02+7*10" ten days, seven apart; "…" at the end means that it goes on.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    start: str
    rule: str
    words: str
    zone: str = "America/New_York"
    all_day: bool = False
    rdates: str = ""
    exdates: str = ""

    @property
    def goes_on(self) -> bool:
        return self.words.endswith("…")

    @property
    def first(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.start)

    def walls(self, words: str | None = None) -> list[dt.datetime]:
        found: list[dt.datetime] = []
        for word in (self.words if words is None else words).removesuffix("…").split():
            if "T" in word:
                found.append(dt.datetime.fromisoformat(word))
            elif ">" in word:
                one, other = map(dt.date.fromisoformat, word.split(">"))
                found += [self._at(one + dt.timedelta(days=n)) for n in range((other - one).days + 1)]
            elif "+" in word:
                one_word, steps = word.split("+")
                step, times = map(int, steps.split("*"))
                one = dt.date.fromisoformat(one_word)
                found += [self._at(one + dt.timedelta(days=step * n)) for n in range(times)]
            else:
                found.append(self._at(dt.date.fromisoformat(word)))
        return found

    def _at(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, self.first.time())


SEP2 = "1997-09-02T09:00"
JANUARIES = "1998-01-01>1998-01-31 1999-01-01>1999-01-31 2000-01-01>2000-01-31"

RFC: tuple[Case, ...] = (
    Case("daily for 10", SEP2, "FREQ=DAILY;COUNT=10", "1997-09-02>1997-09-11"),
    Case("daily until Christmas Eve", SEP2, "FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02>1997-12-23"),
    Case("every other day", SEP2, "FREQ=DAILY;INTERVAL=2", "1997-09-02+2*47 …"),
    Case("every 10 days, 5 times", SEP2, "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02+10*5"),
    Case(
        "every day in January, yearly",
        "1998-01-01T09:00",
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        JANUARIES,
    ),
    Case("every day in January, daily", "1998-01-01T09:00", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", JANUARIES),
    Case("weekly for 10", SEP2, "FREQ=WEEKLY;COUNT=10", "1997-09-02+7*10"),
    Case("weekly until Christmas Eve", SEP2, "FREQ=WEEKLY;UNTIL=19971224T000000Z", "1997-09-02+7*17"),
    Case("every other week", SEP2, "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02+14*13 …"),
    Case(
        "Tuesday and Thursday until",
        SEP2,
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 1997-09-04 1997-09-09 1997-09-11 1997-09-16 1997-09-18 1997-09-23 1997-09-25 1997-09-30 1997-10-02",
    ),
    Case(
        "Tuesday and Thursday, 10",
        SEP2,
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 1997-09-04 1997-09-09 1997-09-11 1997-09-16 1997-09-18 1997-09-23 1997-09-25 1997-09-30 1997-10-02",
    ),
    Case(
        "every other week on three days",
        "1997-09-01T09:00",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01 1997-09-03 1997-09-05 1997-09-15 1997-09-17 1997-09-19 1997-09-29 1997-10-01 1997-10-03 1997-10-13 "
        "1997-10-15 1997-10-17 1997-10-27 1997-10-29 1997-10-31 1997-11-10 1997-11-12 1997-11-14 1997-11-24 1997-11-26 "
        "1997-11-28 1997-12-08 1997-12-10 1997-12-12 1997-12-22",
    ),
    Case(
        "every other week on two days, 8",
        SEP2,
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 1997-09-04 1997-09-16 1997-09-18 1997-09-30 1997-10-02 1997-10-14 1997-10-16",
    ),
    Case(
        "first Friday, 10",
        "1997-09-05T09:00",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05 1997-10-03 1997-11-07 1997-12-05 1998-01-02 1998-02-06 1998-03-06 1998-04-03 1998-05-01 1998-06-05",
    ),
    Case(
        "first Friday until",
        "1997-09-05T09:00",
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05 1997-10-03 1997-11-07 1997-12-05",
    ),
    Case(
        "first and last Sunday of every other month",
        "1997-09-07T09:00",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07 1997-09-28 1997-11-02 1997-11-30 1998-01-04 1998-01-25 1998-03-01 1998-03-29 1998-05-03 1998-05-31",
    ),
    Case(
        "last Monday but one",
        "1997-09-22T09:00",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22 1997-10-20 1997-11-17 1997-12-22 1998-01-19 1998-02-16",
    ),
    Case(
        "third day from the end",
        "1997-09-28T09:00",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28 1997-10-29 1997-11-28 1997-12-29 1998-01-29 1998-02-26 …",
    ),
    Case(
        "2nd and 15th",
        SEP2,
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02 1997-09-15 1997-10-02 1997-10-15 1997-11-02 1997-11-15 1997-12-02 1997-12-15 1998-01-02 1998-01-15",
    ),
    Case(
        "first and last day",
        "1997-09-30T09:00",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30 1997-12-01 1997-12-31 1998-01-01 1998-01-31 1998-02-01",
    ),
    Case(
        "every 18 months",
        "1997-09-10T09:00",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10>1997-09-15 1999-03-10>1999-03-13",
    ),
    Case(
        "every Tuesday of every other month",
        SEP2,
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02+7*5 1997-11-04+7*4 1998-01-06+7*4 1998-03-03+7*5 …",
    ),
    Case(
        "June and July",
        "1997-06-10T09:00",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10 1997-07-10 1998-06-10 1998-07-10 1999-06-10 1999-07-10 2000-06-10 2000-07-10 2001-06-10 2001-07-10",
    ),
    Case(
        "every other year in three months",
        "1997-03-10T09:00",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10 1999-01-10 1999-02-10 1999-03-10 2001-01-10 2001-02-10 2001-03-10 2003-01-10 2003-02-10 2003-03-10",
    ),
    Case(
        "days 1, 100 and 200 of every third year",
        "1997-01-01T09:00",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01 1997-04-10 1997-07-19 2000-01-01 2000-04-09 2000-07-18 2003-01-01 2003-04-10 2003-07-19 2006-01-01",
    ),
    Case("20th Monday", "1997-05-19T09:00", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19 1998-05-18 1999-05-17 …"),
    Case(
        "Monday of week 20",
        "1997-05-12T09:00",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12 1998-05-11 1999-05-17 …",
    ),
    Case(
        "Thursdays of March",
        "1997-03-13T09:00",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13+7*3 1998-03-05+7*4 1999-03-04+7*4 …",
    ),
    Case(
        "Thursdays of the summer",
        "1997-06-05T09:00",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05+7*13 1998-06-04+7*13 1999-06-03+7*13 …",
    ),
    Case(
        "Friday the 13th",
        SEP2,
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1998-02-13 1998-03-13 1998-11-13 1999-08-13 2000-10-13 …",
        exdates="1997-09-02",
    ),
    Case(
        "Saturday after the first Sunday",
        "1997-09-13T09:00",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13 1997-10-11 1997-11-08 1997-12-13 1998-01-10 1998-02-07 1998-03-07 1998-04-11 1998-05-09 1998-06-13 …",
    ),
    Case(
        "election day",
        "1996-11-05T09:00",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05 2000-11-07 2004-11-02 …",
    ),
    Case(
        "third of three weekdays",
        "1997-09-04T09:00",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04 1997-10-07 1997-11-06",
    ),
    Case(
        "last workday but one",
        "1997-09-29T09:00",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29 1997-10-30 1997-11-27 1997-12-30 1998-01-29 1998-02-26 1998-03-30 …",
    ),
    Case(
        "the week begins on Monday",
        "1997-08-05T09:00",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
    ),
    Case(
        "the week begins on Sunday",
        "1997-08-05T09:00",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
    ),
    Case(
        "30 February is left out",
        "2007-01-15T09:00",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15 2007-01-30 2007-02-15 2007-03-15 2007-03-30",
    ),
)

PARIS = "Europe/Paris"
TRAPS: tuple[Case, ...] = (
    # The start against the rule.
    Case(
        "a start that the rule would not make is the first date and counts",
        "2026-11-25T10:00",
        "FREQ=WEEKLY;BYDAY=TU;COUNT=3",
        "2026-11-25 2026-12-01 2026-12-08",
        PARIS,
    ),
    Case("UNTIL before the start leaves nothing", "2026-11-25T10:00", "FREQ=DAILY;UNTIL=20261124T235959Z", "", PARIS),
    Case("UNTIL at the very start", "2026-11-25T10:00", "FREQ=DAILY;UNTIL=20261125T090000Z", "2026-11-25", PARIS),
    Case("a second less", "2026-11-25T10:00", "FREQ=DAILY;UNTIL=20261126T085959Z", "2026-11-25", PARIS),
    Case("COUNT of one", "2026-11-25T10:00", "FREQ=YEARLY;COUNT=1", "2026-11-25", PARIS),
    Case(
        "an hour of its own",
        "2026-11-25T10:00",
        "FREQ=DAILY;BYHOUR=9;COUNT=3",
        "2026-11-25T10:00 2026-11-26T09:00 2026-11-27T09:00",
        PARIS,
    ),
    # UNTIL as others write it.
    Case("a bare date holds its day", "2026-11-25T10:00", "FREQ=DAILY;UNTIL=20261127", "2026-11-25>2026-11-27", PARIS),
    Case(
        "a floating time is local", "2026-11-25T10:00", "FREQ=DAILY;UNTIL=20261127T100000", "2026-11-25>2026-11-27", PARIS
    ),
    Case(
        "the local day of UNTIL overseas",
        "2026-11-25T08:00",
        "FREQ=DAILY;UNTIL=20261126T210000Z",
        "2026-11-25>2026-11-27",
        "Pacific/Noumea",
    ),
    Case(
        "whole days, UNTIL in UTC",
        "2026-11-25T00:00",
        "FREQ=DAILY;UNTIL=20261127T000000Z",
        "2026-11-25>2026-11-27",
        "America/Cayenne",
        all_day=True,
    ),
    # Months and years that lack the day.
    Case(
        "the 31st",
        "2026-01-31T10:00",
        "FREQ=MONTHLY;COUNT=7",
        "2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31 2026-10-31 2026-12-31",
        PARIS,
    ),
    Case("29 February", "2024-02-29T10:00", "FREQ=YEARLY;COUNT=3", "2024-02-29 2028-02-29 2032-02-29", PARIS),
    Case(
        "29 February over a century", "2096-02-29T10:00", "FREQ=YEARLY;COUNT=3", "2096-02-29 2104-02-29 2108-02-29", PARIS
    ),
    Case("30 February", "2026-02-01T10:00", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-02-01", PARIS),
    Case("day 366", "2012-12-31T12:00", "FREQ=YEARLY;BYYEARDAY=366", "2012-12-31 2016-12-31 2020-12-31 …", PARIS),
    Case("day -366", "2012-01-01T12:00", "FREQ=YEARLY;BYYEARDAY=-366", "2012-01-01 2016-01-01 2020-01-01 …", PARIS),
    Case("the 31st from the end", "2015-01-01T08:00", "FREQ=MONTHLY;BYMONTHDAY=-31;COUNT=4",
         "2015-01-01 2015-03-01 2015-05-01 2015-07-01", PARIS),
    Case("the fifth Tuesday", "2026-12-29T10:00", "FREQ=MONTHLY;BYDAY=5TU", "2026-12-29 2027-03-30 2027-06-29 …", PARIS),
    Case(
        "every 13 months only in May", "2010-02-12T10:00", "FREQ=MONTHLY;INTERVAL=13;BYMONTH=5",
        "2010-02-12 2013-05-12 2026-05-12 2039-05-12 …", PARIS,
    ),
    # YEARLY with BYMONTHDAY and no month: the start's month (Google and Windows write it so).
    Case("yearly on the 20th", "2026-08-20T10:00", "FREQ=YEARLY;BYMONTHDAY=20;INTERVAL=1;WKST=SU",
         "2026-08-20 2027-08-20 2028-08-20 …", PARIS),
    Case("yearly on 29 February", "2024-02-29T10:00", "FREQ=YEARLY;BYMONTHDAY=29;COUNT=3",
         "2024-02-29 2028-02-29 2032-02-29", PARIS),
    Case("yearly, two days of February", "2024-02-01T10:00", "FREQ=YEARLY;BYMONTHDAY=-29,-1;COUNT=4",
         "2024-02-01 2024-02-29 2025-02-28 2026-02-28", PARIS),
    # Weeks of the year.
    Case("weeks alone: the start's weekday", "2013-01-01T10:00", "FREQ=YEARLY;BYWEEKNO=1,2;UNTIL=20170101T000000Z",
         "2013-01-01 2013-01-08 2013-12-31 2014-01-07 2014-12-30 2015-01-06 2016-01-05 2016-01-12", PARIS),
    Case("weeks that begin on Friday", "2013-01-08T10:00",
         "FREQ=YEARLY;BYWEEKNO=1,2;WKST=FR;UNTIL=20170101T000000Z",
         "2013-01-08 2013-01-15 2014-01-07 2014-01-14 2015-01-06 2015-01-13 2016-01-05 2016-01-12", PARIS),
    Case("weeks that begin on Tuesday", "2013-01-07T10:00",
         "FREQ=YEARLY;BYWEEKNO=1,2;WKST=TU;UNTIL=20170101T000000Z",
         "2013-01-07 2013-01-14 2014-01-06 2014-01-13 2015-01-05 2015-01-12 2016-01-04 2016-01-11", PARIS),
    Case("the last two weeks", "2013-12-24T10:00", "FREQ=YEARLY;BYWEEKNO=-1,-2;COUNT=4",
         "2013-12-24 2014-12-16 2014-12-23 2015-12-22", PARIS),
    Case("week 53", "2015-12-29T10:00", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TU,SA;COUNT=4",
         "2015-12-29 2016-01-02 2020-12-29 2021-01-02", PARIS),
    Case("week 53 from its Sunday in January", "2027-01-03T10:00", "FREQ=YEARLY;BYWEEKNO=53;COUNT=2",
         "2027-01-03 2033-01-02", PARIS),
    Case("every other year of weeks, from a January", "2027-01-03T10:00", "FREQ=YEARLY;INTERVAL=6;BYWEEKNO=53;COUNT=2",
         "2027-01-03 2033-01-02", PARIS),
    Case("week 1 in December", "2024-12-30T10:00", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYWEEKNO=1;COUNT=3",
         "2024-12-30 2025-12-30 2030-12-30", PARIS),
    Case("week 6 that begins on Thursday", "2018-02-13T08:00", "FREQ=YEARLY;BYWEEKNO=6;BYDAY=TU;WKST=TH;COUNT=4",
         "2018-02-13 2019-02-12 2020-02-11 2021-02-09", PARIS),
    # BYSETPOS is chosen from the whole set of the first period too.
    Case("set in a first week begun", "2024-10-23T10:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,3;COUNT=3",
         "2024-10-23 2024-10-28 2024-10-30", PARIS),
    Case("set in a first week, places out of order", "2024-01-02T12:00",
         "FREQ=WEEKLY;BYDAY=MO,TU,SU,SA,TH;BYSETPOS=3,2;COUNT=4",
         "2024-01-02 2024-01-04 2024-01-09 2024-01-11", PARIS),
    Case("set in a first month begun", "2025-08-10T10:00",
         "FREQ=MONTHLY;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10;BYSETPOS=1,2,-1,-2;COUNT=6",
         "2025-08-10 2025-09-01 2025-09-02 2025-09-09 2025-09-10 2025-10-01", PARIS),
    Case("set of a year", "2024-01-03T10:00", "FREQ=YEARLY;BYYEARDAY=1,2,3,4,5,6,7;BYSETPOS=3,2;COUNT=4",
         "2024-01-03 2025-01-02 2025-01-03 2026-01-02", PARIS),
    Case("set with a place that some years lack", "2024-02-29T12:00",
         "FREQ=YEARLY;BYMONTH=1,2,3;BYMONTHDAY=29;BYSETPOS=3,2;COUNT=4",
         "2024-02-29 2024-03-29 2025-03-29 2026-03-29", PARIS),
    Case("last workday", "2026-11-30T10:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
         "2026-11-30 2026-12-31 2027-01-29 2027-02-26 …", PARIS),
    # Days with limits.
    Case("daily by days of the month", "2025-02-20T10:00", "FREQ=DAILY;BYMONTHDAY=20,-2;UNTIL=20250401",
         "2025-02-20 2025-02-27 2025-03-20 2025-03-30", PARIS),
    Case("every 7 days only on the 1st or 20th", "2025-01-01T03:05", "FREQ=DAILY;BYMONTHDAY=1,20;INTERVAL=7;COUNT=2",
         "2025-01-01 2025-08-20", PARIS),
    Case("every third day of January", "2017-01-01T09:00", "FREQ=DAILY;BYMONTH=1;INTERVAL=3;COUNT=12",
         "2017-01-01+3*11 2018-01-02", PARIS),
    Case("workdays, daily", "2026-11-26T10:00", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=4",
         "2026-11-26 2026-11-27 2026-11-30 2026-12-01", PARIS),
    Case("every other week from a Sunday", "2016-12-29T09:00", "FREQ=WEEKLY;BYDAY=SU,TU,TH;INTERVAL=2;COUNT=7",
         "2016-12-29 2017-01-01 2017-01-10 2017-01-12 2017-01-15 2017-01-24 2017-01-26", PARIS),
    Case("the week begins on Wednesday", "1997-09-01T09:00", "FREQ=WEEKLY;INTERVAL=2;WKST=WE;BYDAY=MO,WE,FR;COUNT=5",
         "1997-09-01 1997-09-10 1997-09-12 1997-09-15 1997-09-24", PARIS),
    Case("a Friday of the second half of March", "2006-03-31T02:00",
         "FREQ=YEARLY;BYDAY=FR;BYYEARDAY=-275,-276,-277,-278,-279,-280,-281;COUNT=4",
         "2006-03-31 2007-03-30 2008-03-28 2009-03-27", PARIS),
    # Daylight saving (R13).
    Case("ten o'clock in winter and summer", "2027-03-21T10:00", "FREQ=WEEKLY;COUNT=3", "2027-03-21+7*3", PARIS),
    Case("a time in the spring's gap is skipped and not counted", "2027-03-27T02:30", "FREQ=DAILY;COUNT=3",
         "2027-03-27 2027-03-29 2027-03-30", PARIS),
    Case("a literal start in the gap stays and counts", "2027-03-28T02:30", "FREQ=DAILY;COUNT=3",
         "2027-03-28 2027-03-29 2027-03-30", PARIS),
    Case("a rule that only ever falls into the gap", "2027-03-28T02:30", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;COUNT=4",
         "2027-03-28", PARIS),
    Case("half past two in autumn, the first", "2026-10-24T02:30", "FREQ=DAILY;COUNT=3", "2026-10-24>2026-10-26", PARIS),
    Case("midnight skipped, a timed meeting", "2027-04-29T00:15", "FREQ=DAILY;COUNT=2", "2027-04-29 2027-05-01",
         "Africa/Cairo"),
    Case("midnight skipped, a whole day", "2027-04-29T00:00", "FREQ=DAILY;COUNT=3", "2027-04-29>2027-05-01",
         "Africa/Cairo", all_day=True),
    Case("a day without its last hour, as UNTIL", "2027-03-26T00:30", "FREQ=DAILY;UNTIL=20270327",
         "2027-03-26 2027-03-27", "America/Nuuk"),
    Case("a whole day that a zone never had", "2011-12-29T00:00", "FREQ=DAILY;COUNT=3",
         "2011-12-29 2011-12-31 2012-01-01", "Pacific/Apia", all_day=True),
    # Whole days know no hours (§3.3.10).
    Case("minutes on whole days", "2024-10-18T00:00", "FREQ=DAILY;BYMINUTE=1,2,3,4;INTERVAL=2;COUNT=3",
         "2024-10-18+2*3", PARIS, all_day=True),
    Case("an hour on whole days", "2024-10-18T00:00", "FREQ=DAILY;BYHOUR=9;COUNT=3", "2024-10-18>2024-10-20", PARIS,
         all_day=True),
    # Exceptions.
    Case("EXDATE is counted", "2026-11-24T10:00", "FREQ=DAILY;COUNT=4", "2026-11-24 2026-11-26 2026-11-27", PARIS,
         exdates="2026-11-25"),
    Case("EXDATE at another time removes nothing", "2026-11-24T10:00", "FREQ=DAILY;COUNT=2", "2026-11-24 2026-11-25",
         PARIS, exdates="2026-11-25T09:00"),
    Case("RDATE is not counted", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=2",
         "2026-11-24 2026-11-26T15:00 2026-12-01 2026-12-24", PARIS, rdates="2026-12-24 2026-11-26T15:00"),
    Case("RDATE twice and on a date of the rule", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=2",
         "2026-11-24 2026-11-26 2026-12-01", PARIS, rdates="2026-11-26 2026-11-26 2026-12-01"),
    Case("EXDATE removes an RDATE", "2026-11-24T10:00", "FREQ=WEEKLY;COUNT=2", "2026-11-24 2026-12-01", PARIS,
         rdates="2026-11-26", exdates="2026-11-26"),
    Case("EXDATE of every date", "2026-11-24T10:00", "FREQ=DAILY;COUNT=2", "", PARIS, exdates="2026-11-24 2026-11-25"),
    # As others write it.
    Case("lower case, Google's semicolon", "2014-10-06T09:00", " freq=weekly;interval=1;count=2;byday=mo; ",
         "2014-10-06 2014-10-13", PARIS),
    Case("the name of the property, a Gregorian scale", "2014-10-06T09:00",
         "RRULE:RSCALE=GREGORIAN;FREQ=WEEKLY;SKIP=OMIT;COUNT=2", "2014-10-06 2014-10-13", PARIS),
    Case("lists out of order and doubled", "2011-11-20T10:00", "FREQ=WEEKLY;COUNT=3;BYDAY=TH,SU,TH",
         "2011-11-20 2011-11-24 2011-11-27", PARIS),
)  # fmt: skip

CASES = RFC + TRAPS
