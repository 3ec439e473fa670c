"""Drawings by matplotlib as SVG that stands in a page: its colours are the page's, light or dark, its letters text.

The page's policy forbids styles of elements, and its ids have to be its own: so what matplotlib writes is rewritten.
The same drawing gives the same bytes.
"""

import io
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Stand-ins for what the page's style sheet calls so: ink, soft ink, lines, and the first and second run.
INK, SOFT, LINE, FIRST, SECOND = (f"#00000{n}" for n in range(1, 6))
_CLASSES = dict(
    zip((INK, SOFT, LINE, FIRST, SECOND), ("ink", "soft", "line", "first", "second"), strict=True)
)

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_KEPT = (
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


def settings() -> Any:
    """A context in which figures are made and written."""
    import matplotlib

    return matplotlib.rc_context(_SETTINGS)


def blank(width: float = 4.1, height: float = 3.1) -> tuple["Figure", "Axes"]:
    """A figure with one pair of axes, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def as_svg(figure: "Figure", name: str, title: str, description: str) -> str:
    """The figure as an element of a page.

    Args:
        figure: drawn in the colours above.
        name: what its ids begin with; none other on the page may have it.
        title: what it is, in words.
        description: what it shows, for those who do not see it.
    """
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(written.getvalue())
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {target for value in values for target in re.findall(r"#([\w-]+)\)?$", value)}
    for element in list(root.iter()):
        _rewrite(element, name, used)
    for useless in [*root.findall(f"{_SVG}metadata"), *root.findall(f"{_SVG}defs[{_SVG}style]")]:
        root.remove(useless)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"class": "plot", "role": "img", "aria-labelledby": f"{name}-t {name}-d"}
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(_SVG + tag, {"id": f"{name}-{tag[0]}"})
        element.text = text
        root.insert(place, element)
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text.replace("ns0:", "").replace(":ns0", ""))


def _rewrite(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """Styles into attributes and classes, ids that nothing refers to away, the others made the page's own."""
    given, classes = dict(element.attrib), []
    for declaration in filter(None, given.pop("style", "").split(";")):
        key, value = (part.strip() for part in declaration.split(":", 1))
        if value in _CLASSES and key in ("fill", "stroke"):
            classes.append(f"{key}-{_CLASSES[value]}")
        elif key in _KEPT:
            given[key] = value.removesuffix("px")
    if classes:
        given["class"] = " ".join(classes)
    if given.get("id") in used:
        given["id"] = f"{name}-{given['id']}"
    else:
        given.pop("id", None)
    if "transform" in given and given["transform"].startswith("rotate(-0 "):
        del given["transform"]
    if (target := given.pop(f"{_XLINK}href", None)) is not None:
        given["href"] = f"#{name}-{target[1:]}"
    if (clip := given.get("clip-path")) is not None:
        given["clip-path"] = clip.replace("#", f"#{name}-")
    element.attrib.clear()
    element.attrib.update(
        {
            key: _short(value) if key in ("d", "x", "y", "transform") else value
            for key, value in given.items()
        }
    )


def _short(numbers: str) -> str:
    """Places to a tenth of a point."""
    return " ".join(
        re.sub(
            r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), numbers
        ).split()
    )
