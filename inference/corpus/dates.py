"""Dates of articles in the forms that news sites and data bases write."""

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
#: A day and a month in figures are in doubt unless the year comes first: 5/9/2016 is in May or in September.
_FORMS = tuple(
    re.compile(rf"(?<![\w/-]){form}(?![\d/-])", re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<sign>[-/.])(?P<month>\d{{1,2}})(?P=sign)(?P<day>\d{{1,2}})",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)",
        rf"{_MONTH}\s+{_DAY}(?:,\s*|\s+){_YEAR}",
        rf"{_DAY}[\s-]+(?:of\s+)?{_MONTH},?[\s-]+{_YEAR}",
    )
)


def parse_date(value: object) -> str | None:
    """Return the day of a date as ISO has it, ``2016-05-09``; ``None`` if it is not understood.

    Weekdays, times and other words around the day are ignored. A text with two different days has no date.

    >>> parse_date("Mon, May 9, 2016 at 10:31 a.m."), parse_date("2016-05-09T23:10:00Z"), parse_date("5/9/2016")
    ('2016-05-09', '2016-05-09', None)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    days = set()
    for form in _FORMS:
        for match in form.finditer(str(value)):
            month = match["month"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
            try:
                days.add(date(int(match["year"]), number, int(match["day"])))
            except ValueError:  # a day that no calendar has
                continue
    if len(days) != 1:
        return None
    (day,) = days
    return day.isoformat()
