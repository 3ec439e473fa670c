"""Drawings by matplotlib as SVG elements of a page, in the page's colours, light or dark.

The page's policy forbids style attributes, and ids must be unique on the page. Therefore the SVG that
matplotlib writes is rewritten. The same drawing gives the same bytes.
"""

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Stand-ins for colours of the page's style sheet: ink, soft ink, lines, the first and second run.
INK, SOFT, LINE, FIRST, SECOND = (f"#00000{n}" for n in range(1, 6))
_CLASSES = {INK: "ink", SOFT: "soft", LINE: "line", FIRST: "first", SECOND: "second"}

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
#: Style declarations that become attributes; all others are dropped.
_ATTRIBUTES = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "fill-opacity",
    "stroke-opacity",
    "opacity",
    "text-anchor",
    "font-size",
)
_SETTINGS: Any = {
    "svg.hashsalt": "claimstance",
    "svg.fonttype": "none",
    "path.simplify": False,
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": LINE,
    "axes.axisbelow": True,
    "grid.linewidth": 0.6,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
}


def drawing_settings() -> Any:
    """Return a context in which plots are drawn and written."""
    import matplotlib

    return matplotlib.rc_context(_SETTINGS)


def new_axes(width: float = 4.1, height: float = 3.1) -> tuple["Figure", "Axes"]:
    """Return a matplotlib figure with one pair of axes; width and height in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def as_svg(figure: "Figure", name: str, title: str, description: str) -> str:
    """Return a matplotlib figure as an element of a page.

    Args:
        figure: drawn in the colours above.
        name: the prefix of its ids, unique on the page.
        title: the title, for those who do not see the drawing.
        description: the content in words, for the same readers.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(file.getvalue())

    referenced: set[str] = set()
    for element in root.iter():
        for value in element.attrib.values():
            referenced.update(re.findall(r"#([\w-]+)\)?$", value))

    for element in list(root.iter()):
        _rewrite(element, name, referenced)

    for path in (f"{_SVG}metadata", f"{_SVG}defs[{_SVG}style]"):
        for element in root.findall(path):
            root.remove(element)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"class": "plot", "role": "img", "aria-labelledby": f"{name}-t {name}-d"}

    # Screen readers expect the title before everything else.
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(_SVG + tag, {"id": f"{name}-{tag[0]}"})
        element.text = text
        root.insert(position, element)

    svg = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", svg.replace("ns0:", "").replace(":ns0", ""))


def _rewrite(element: ElementTree.Element, name: str, referenced: set[str]) -> None:
    """Turn styles into attributes and classes, drop unused ids, and prefix the others with ``name``."""
    attributes = dict(element.attrib)
    classes = []
    for declaration in attributes.pop("style", "").split(";"):
        key, _, value = (text.strip() for text in declaration.partition(":"))
        if value in _CLASSES and key in ("fill", "stroke"):
            classes.append(f"{key}-{_CLASSES[value]}")
        elif key in _ATTRIBUTES:
            attributes[key] = value.removesuffix("px")

    if classes:
        attributes["class"] = " ".join(classes)

    if attributes.get("id") in referenced:
        attributes["id"] = f"{name}-{attributes['id']}"
    else:
        attributes.pop("id", None)

    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    link = attributes.pop(f"{_XLINK}href", None)
    if link is not None:
        attributes["href"] = f"#{name}-{link[1:]}"
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{name}-")

    for key in ("d", "x", "y", "transform"):
        if key in attributes:
            # Coordinates are rounded to a tenth of a point.
            rounded = re.sub(
                r"-?\d+\.\d+",
                lambda match: f"{float(match[0]):.1f}".removesuffix(".0"),
                attributes[key],
            )
            attributes[key] = " ".join(rounded.split())

    element.attrib.clear()
    element.attrib.update(attributes)
