"""Charts of a report as SVG elements without style attributes, which the page's policy forbids.

The style sheet of the page gives the classes their colours, light or dark. All panels of a chart have one
size, so that its script can put them together as one file. The same values give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10, pow
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from claimstance.model.pages.markup import visible

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 24, 20
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Bar:
    """Represent a horizontal bar: a name, a share from 0 to 1, and what is written behind it."""

    name: str
    share: float
    text: str


@dataclass(frozen=True)
class Dot:
    """Represent a share with its interval.

    Attributes:
        name: whose share it is.
        value: the share.
        interval: its lower and upper end; ``None`` if it has none.
        stands_out: whether it is told apart from the others.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    stands_out: bool

    @property
    def words(self) -> str:
        """Return the share in words: ``12 %, 8 % to 16 %``."""
        if self.interval is None:
            return f"{show_share(self.value)}, without an interval"
        low, high = map(show_share, self.interval)
        return f"{show_share(self.value)}, {low} to {high}"


@dataclass(frozen=True)
class Period:
    """Represent the axis of time: a unit, and the first day of each period."""

    unit: str
    days: Sequence[str]

    def name(self, index: int) -> str:
        """Return the name of a period: ``week of 9 May 2016``."""
        prefix = "week of " if self.unit == "week" else ""
        return f"{prefix}{show_date(self.days[index], self.unit)}"


def show_date(day: str, unit: str = "day") -> str:
    """Return an ISO day in words, as exactly as the unit is.

    >>> show_date("2016-05-09"), show_date("2016-05-01", "month"), show_date("2016-01-01", "year")
    ('9 May 2016', 'May 2016', '2016')
    """
    value = date.fromisoformat(day)
    if unit == "year":
        return str(value.year)
    month = f"{_MONTHS[value.month - 1]} {value.year}"
    return month if unit == "month" else f"{value.day} {month}"


def round_up(value: float) -> float:
    """Return the end of a scale: the least number with one digit other than zero that is no less than a value.

    >>> round_up(61), round_up(0.13), round_up(0)
    (70, 0.2, 1)
    """
    if value <= 0:
        return 1
    power = pow(10, floor(log10(value)))
    # The tolerance keeps 0.07 from becoming 0.08: as floats, 0.07 / 0.01 is a little more than 7.
    rounded = round(ceil(value / power - 1e-9) * power, 9)
    return int(rounded) if rounded >= 1 else rounded


def columns(title: str, counts: Sequence[int], period: Period, noun: str, top: float) -> "Markup":
    """Return a panel with a column for each period.

    Args:
        title: what is counted.
        counts: one for each period.
        period: the axis of time.
        noun: the plural of what is counted.
        top: the upper end of the scale, which panels of a chart share.
    """
    summary = _course_in_words(title, counts, period, noun)
    panel = _Panel(title, 118, summary)
    panel.scale(0, top)
    width = panel.inner_width / len(counts)
    for index, count in enumerate(counts):
        if count:
            text = f"{period.name(index)}: {count:,} {noun}"
            panel.column(index * width, width, 0, count, "column", text)
    panel.time(period)
    return panel.markup()


def opposed_columns(
    title: str,
    favor: Sequence[int],
    against: Sequence[int],
    period: Period,
    top: float,
) -> "Markup":
    """Return a panel with stances for somebody above a line, and those against below; see ``columns``."""
    summary = (
        f"{_course_in_words(title, favor, period, 'for')} "
        f"{_course_in_words('', against, period, 'against')}"
    )
    panel = _Panel(title, 150, summary)
    panel.scale(-top, top)
    width = panel.inner_width / len(favor)
    for index, (above, below) in enumerate(zip(favor, against, strict=True)):
        for count, style, word in ((above, "favor", "for"), (-below, "against", "against")):
            if count:
                text = f"{period.name(index)}: {abs(count):,} {word}"
                panel.column(index * width, width, 0, count, style, text)
    panel.sign("+", "favor", top)
    panel.sign("−", "against", -top)
    panel.time(period)
    return panel.markup()


def bars(title: str, rows: Sequence[Bar], count: int, top: float) -> "Markup":
    """Return a panel with a horizontal bar for each row.

    Args:
        title: whose rows they are.
        rows: the bars, the longest first.
        count: the number of rows for which there is room, the same in all panels of a chart.
        top: the share that takes the whole width.
    """
    summary = f"{title}: " + "; ".join(f"{row.name} {row.text}" for row in rows)
    panel = _Panel(title, 28 + 34 * count, summary)
    for index, row in enumerate(rows):
        y = 28 + 34 * index
        panel.text(0, y + 11, _shortened(row.name, 40), full=row.name)
        panel.text(WIDTH - 1, y + 11, row.text, "soft", "end")
        panel.rect(0, y + 16, WIDTH, 7, "track")
        # Even the smallest share stays visible.
        panel.rect(0, y + 16, max(1.5, WIDTH * row.share / top), 7, "column")
    return panel.markup()


def dots(title: str, rows: Sequence[Dot], count: int) -> "Markup":
    """Return a panel with shares and their intervals.

    A filled dot stands out and a hollow one does not; a share without an interval is a stroke.

    Args:
        title: what the shares are of.
        rows: the shares.
        count: the number of rows for which there is room, the same in all panels of a chart.
    """
    values: list[float] = []
    descriptions = []
    for row in rows:
        values.append(row.value)
        if row.interval is not None:
            values += row.interval
        mark_in_words = ", stands out" if row.stands_out else ""
        descriptions.append(f"{row.name} {row.words}{mark_in_words}")
    low = min(0.0, *values)
    high = min(1.0, round_up(max(values)))
    panel = _Panel(title, 30 + 19 * count + _BOTTOM, f"{title}: {'; '.join(descriptions)}")
    left = 124
    right = WIDTH - 14
    bottom = 30 + 19 * len(rows)

    def x(value: float) -> float:
        return left + (right - left) * (value - low) / (high - low)

    for tick in (0, high / 2, high):
        panel.line(x(tick), 26, x(tick), bottom, "line")
        panel.text(x(tick), bottom + 14, show_share(tick), "soft", "middle")
    for index, row in enumerate(rows):
        y = 38 + 19 * index
        panel.text(left - 10, y + 4, _shortened(row.name, 17), "", "end", full=row.name)
        if row.interval is None:
            mark = panel.line(x(row.value), y - 4, x(row.value), y + 4, "range")
        else:
            panel.line(x(row.interval[0]), y, x(row.interval[1]), y, "range")
            style = "filled" if row.stands_out else "hollow"
            mark = panel.circle(x(row.value), y, 4.5, style)
        SubElement(mark, "title").text = visible(f"{row.name}: {row.words}")
    return panel.markup()


def show_share(share: float) -> str:
    r"""Return a share in per cent, with a decimal where it is small.

    >>> show_share(0.257), show_share(0.0234), show_share(0.0001), show_share(0)
    ('26\xa0%', '2.3\xa0%', '<\xa00.1\xa0%', '0\xa0%')
    """
    percent = 100 * share
    if 0 < percent < 0.05:
        return "<\u00a00.1\u00a0%"
    digits = 1 if 0 < abs(percent) < 9.95 else 0
    return f"{percent:.{digits}f}\u00a0%".replace("-", "−")


def _course_in_words(title: str, counts: Sequence[int], period: Period, noun: str) -> str:
    """Return what somebody who does not see a panel should know of it."""
    total = sum(counts)
    prefix = f"{title}: " if title else ""
    if not total:
        return f"{prefix}no {noun}."
    highest = max(range(len(counts)), key=lambda index: counts[index])
    return (
        f"{prefix}{total:,} {noun} from {period.name(0)} to {period.name(len(counts) - 1)}; "
        f"most, {counts[highest]:,}, in {period.name(highest)}."
    )


def _shortened(text: str, length: int) -> str:
    """Return a text that has room in a panel, since SVG does not break lines."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


class _Panel:
    """Draw one panel of a chart."""

    def __init__(self, title: str, height: float, summary: str) -> None:
        self._height = height
        self._low, self._high = 0.0, 1.0
        self._svg = Element(
            "svg",
            {
                "viewBox": f"0 0 {WIDTH} {_number(height)}",
                "class": "panel",
                "role": "img",
                "aria-label": visible(summary),
            },
        )
        self.text(0, 13, _shortened(title, 42), "title", full=title)

    @property
    def inner_width(self) -> float:
        """Return the width between the axis and the right edge."""
        return WIDTH - _LEFT - _RIGHT

    def scale(self, low: float, high: float) -> None:
        """Draw the lines of a vertical axis from ``low`` to ``high``."""
        self._low, self._high = low, high
        for tick in dict.fromkeys((low, (low + high) / 2, high)):
            if tick != int(tick):
                continue  # the axis counts statements or stances, of which there are no halves
            y = self._y(tick)
            self.line(_LEFT, y, WIDTH - _RIGHT, y, "zero" if tick == 0 else "line")
            self.text(_LEFT - 5, y + 4, f"{abs(tick):,g}", "soft", "end")

    def column(
        self, start: float, width: float, base: float, value: float, style: str, text: str
    ) -> None:
        """Draw a column from ``base`` to ``value`` on the vertical axis."""
        gap = min(1.5, width / 5)
        above, below = sorted((self._y(base), self._y(value)))
        rect = self.rect(_LEFT + start + gap / 2, above, width - gap, below - above, style)
        SubElement(rect, "title").text = text

    def sign(self, text: str, style: str, value: float) -> None:
        """Write the sign of a side at the end of the vertical axis."""
        y = self._y(value) + (16 if value > 0 else -6)
        self.text(_LEFT - 5, y, text, f"{style} sign", "end")

    def time(self, period: Period) -> None:
        """Write the first and the last period below the columns."""
        y = self._height - 5
        self.text(_LEFT, y, show_date(period.days[0], period.unit), "soft")
        self.text(WIDTH - _RIGHT, y, show_date(period.days[-1], period.unit), "soft", "end")

    def rect(self, x: float, y: float, width: float, height: float, style: str) -> Element:
        """Draw a rectangle."""
        return self._element("rect", {"x": x, "y": y, "width": width, "height": height}, style)

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> Element:
        """Draw a line."""
        return self._element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2}, style)

    def circle(self, x: float, y: float, radius: float, style: str) -> Element:
        """Draw a circle."""
        return self._element("circle", {"cx": x, "cy": y, "r": radius}, style)

    def text(
        self, x: float, y: float, text: str, style: str = "", anchor: str = "", full: str = ""
    ) -> None:
        """Write a text; ``full`` is what it is short for."""
        element = self._element("text", {"x": x, "y": y}, style)
        if anchor:
            element.set("text-anchor", anchor)
        element.text = visible(text)
        if full not in ("", text):
            SubElement(element, "title").text = visible(full)

    def markup(self) -> "Markup":
        """Return the panel as markup; the values in it are escaped."""
        from markupsafe import Markup

        return Markup(tostring(self._svg, encoding="unicode"))

    def _y(self, value: float) -> float:
        """Return the position of a value on the vertical axis; positions grow downwards."""
        share = (value - self._low) / (self._high - self._low)
        bottom = self._height - _BOTTOM
        return bottom - share * (bottom - _TOP)

    def _element(self, name: str, coordinates: Mapping[str, float], style: str) -> Element:
        """Add an element with a CSS class."""
        attributes = {key: _number(value) for key, value in coordinates.items()}
        element = SubElement(self._svg, name, attributes)
        if style:
            element.set("class", style)
        return element


def _number(value: float) -> str:
    """Return a coordinate; a tenth of a pixel is exact enough, and keeps pages small."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
