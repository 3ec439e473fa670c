"""The regions of an annotation in Label Studio's JSON, with their labels and answers, and the relations between them.

An annotation is a list of results. Each control that marks or answers a region has a result of its own for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from claimstance.model.io.label_studio import CONTINUES
from claimstance.training.data.documents.document import Mark, Relation
from claimstance.training.data.documents.json_validation import listing, mapping, string, wrong
from claimstance.training.data.formats.label_studio.values import (
    answers_in,
    region_bounds,
    value_key,
)

Results = Sequence[tuple[dict[str, Any], str]]  # each result with its place in the file


@dataclass
class Region:
    """Represent a region with its labels and the answers for it.

    Attributes:
        bounds: its start and end.
        surface: the text that it quotes; ``None`` if it quotes none.
        control: the name of the control that it was marked with.
        where: its place in the file, for messages.
        has_labels: whether a control for labels marked it, with a label or without.
        labels: its labels.
        attributes: question → answer for it.
    """

    bounds: tuple[int, int]
    surface: str | None
    control: str
    where: str
    has_labels: bool = False
    labels: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)

    def marks(self, region_id: str) -> Iterator[Mark]:
        """Yield a mark for each label; without a control for labels, one with the control's name."""
        labels = list(dict.fromkeys(self.labels))
        if not labels and not self.has_labels:
            labels = [self.control]
        for label in labels:
            yield Mark(
                region_id if len(labels) == 1 else f"{region_id}:{label}",
                label,
                [self.bounds],
                self.surface,
                self.attributes,
                self.where,
            )


def find_regions(results: Results) -> dict[str, Region]:
    """Return the regions by their ids, with the labels and attributes that any result gives them."""
    regions: dict[str, Region] = {}
    for result, where in results:
        if string(result.get("type"), f"{where}.type") == "relation":
            continue
        value = mapping(result.get("value"), f"{where}.value")
        region_id = result.get("id")
        # Each control that marks or answers a region repeats its offsets: the first one makes the region.
        if ("start" in value or "globalOffsets" in value) and region_id not in regions:
            bounds = region_bounds(value, f"{where}.value")
            region = Region(bounds, None, control_of(result, where), where)
            regions[string(region_id, f"{where}.id")] = region

    # An answer may come before the region that it is for.
    for result, where in results:
        owner = region_of(result, regions)
        if owner is None:
            continue
        value, kind = result["value"], result["type"]
        # The "text" of a text area is its answer, not a quotation.
        if kind != "textarea" and isinstance(value.get("text"), str):
            owner.surface = value["text"]
        if kind.endswith("labels"):
            labels_where = f"{where}.value.{kind}"
            labels = listing(value.get(kind, value.get("labels")) or [], labels_where)
            owner.has_labels = True
            owner.labels += [string(label, labels_where) for label in labels]
        elif value_key(kind) in value:
            # An attribute has one value, where a question may have several answers.
            answers = [str(answer.value) for answer in answers_in(value, kind, "", where)]
            owner.attributes[control_of(result, where)] = ", ".join(answers)
    return regions


def region_of(result: Mapping[str, Any], regions: Mapping[str, Region]) -> Region | None:
    """Return the region that a result is about; ``None`` if it is about the whole text."""
    region_id = result.get("id")
    if result["type"] == "relation" or not isinstance(region_id, str):
        return None
    return regions.get(region_id)


def parse_relation(
    result: Mapping[str, Any], regions: Mapping[str, Region], where: str
) -> Iterator[Relation]:
    """Yield a relation between the marks of two regions, for each label and direction."""
    ends = []
    for key in ("from_id", "to_id"):
        region_id = string(result.get(key), f"{where}.{key}")
        if region_id not in regions:
            raise wrong(f"{where}.{key}", "the id of a region of this annotation", region_id)
        ends.append([mark.name for mark in regions[region_id].marks(region_id)])

    direction = result.get("direction", "right")
    if direction not in ("right", "left", "bi"):
        raise wrong(f"{where}.direction", "right, left or bi", direction)
    labels = listing(result.get("labels") or [], f"{where}.labels")
    labels = [string(label, f"{where}.labels") for label in labels]
    for label in labels or [""]:
        for head in ends[0]:
            for tail in ends[1]:
                if direction != "left":
                    yield Relation(head, tail, label)
                if direction != "right":
                    yield Relation(tail, head, label)


def join_continued(marks: Sequence[Mark], relations: Sequence[Relation]) -> list[Mark]:
    """Return the marks, each with the pieces that relations ``continues`` link to it."""
    by_name = {mark.name: mark for mark in marks}
    for relation in relations:
        if relation.label != CONTINUES:
            continue
        # A piece has gone into its mark once: a second relation to it adds nothing.
        if relation.head not in by_name or relation.tail not in by_name:
            continue
        head, tail = by_name[relation.head], by_name.pop(relation.tail)
        surface = None
        if head.surface is not None and tail.surface is not None:
            surface = f"{head.surface} {tail.surface}"
        pieces = [*head.pieces, *tail.pieces]
        by_name[head.name] = replace(head, pieces=pieces, surface=surface)
    return list(by_name.values())


def control_of(result: Mapping[str, Any], where: str) -> str:
    """Return the name of the control that wrote a result."""
    return string(result.get("from_name"), f"{where}.from_name")
