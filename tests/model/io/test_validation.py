"""Test the messages about values that fail validation."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from claimstance.model.io.validation import describe, field_path, first_problem


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    counts: list[Annotated[int, Field(gt=0)]] = Field([], max_length=2)
    shares: dict[str, float] = {}


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Part, {}, ("name", "expected a value, found none")),
        (Part, 7, ("", "expected an object, found 7")),
        (Part, {"name": 7}, ("name", "expected a string, found 7")),
        (Part, {"name": "a", "counts": 1}, ("counts", "expected a list, found 1")),
        (
            Part,
            {"name": "a", "counts": [1, 0]},
            ("counts[1]", "expected a number greater than 0, found 0"),
        ),
        (Part, {"name": "a", "counts": [1, "b"]}, ("counts[1]", "expected an integer, found 'b'")),
        (
            Part,
            {"name": "a", "counts": [1, 1, 1]},
            ("counts", "expected at most 2 items, found 3"),
        ),
        (Part, {"name": "a", "shares": {"b": "c"}}, ("shares.b", "expected a number, found 'c'")),
        (list[Part], [{"name": "a"}, {}], ("[1].name", "expected a value, found none")),
    ],
)
def test_the_first_problem_names_field_and_expectation(kind, value, problem):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(kind).validate_python(value)
    field, message = first_problem(error.value.errors())
    assert (field, message) == problem


def test_an_unknown_key_comes_before_the_missing_one_that_it_was_meant_for():
    with pytest.raises(ValidationError) as error:
        Part.model_validate({"nam": "a"})
    assert first_problem(error.value.errors(), Part) == (
        "nam",
        "unknown key 'nam'. Did you mean 'name'? Available: counts, name, shares",
    )


def test_field_paths_have_dots_and_indices():
    assert field_path(()) == ""
    assert field_path((2, "targets", 0)) == "[2].targets[0]"
    assert field_path(("labels", "a b", "[key]")) == "labels.a b"


def nested(depth):
    """Return lists inside of each other."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: nested(100_000),
        lambda: [[0] * 10_000] * 10_000,
        lambda: "x" * 10**6,
        lambda: {"a": "b" * 10**6},
        lambda: 10**5000,
        lambda: [10**5000],
    ],
)
def test_values_are_described_briefly(make):
    assert len(describe(make())) <= 70


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parts: dict[str, list[Part]] | None = None
    first: Part | None = None
    name: Part | str = ""


@dataclass
class Top:
    __pydantic_config__ = ConfigDict(extra="forbid")

    sections: list[Section]


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        (Section, {"first": {"nam": "a"}}, "first.nam"),
        (Section, {"parts": {"name": [{"nam": "a"}]}}, "parts.name[0].nam"),
        (Top, {"sections": [{"parts": {"a": [{"nam": "a"}]}}]}, "sections[0].parts.a[0].nam"),
    ],
)
def test_an_unknown_key_is_compared_with_the_fields_of_its_section(kind, value, field):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(kind).validate_python(value)
    assert first_problem(error.value.errors(), kind) == (
        field,
        "unknown key 'nam'. Did you mean 'name'? Available: counts, name, shares",
    )
