"""The splits of a dataset, and the names that published tables give them in a column."""

SPLITS = ("train", "dev", "test")
_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "development", "validation", "valid", "val"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def find_split(value: object) -> str | None:
    """Return the split with a name, in any case: one of ``SPLITS``; ``None`` if no split has the name.

    >>> find_split("Validation"), find_split("fold 3")
    ('dev', None)
    """
    if not isinstance(value, str):
        return None
    return _NAMES.get(value.strip().casefold())


class SplitColumn:
    """Read the splits that the rows of one file name: all rows name one, or none does."""

    def __init__(self) -> None:
        self._first: tuple[bool, str] | None = None  # has the first row a split, and its location

    def read(self, value: object, location: str) -> str | None:
        """Return the split of a row; ``None`` if the row names none.

        Args:
            value: The value of the column; an empty value is no split.
            location: The position of the row, for messages about later rows.

        Raises:
            ValueError: For another name, and for a row with a split among rows without or the reverse.
        """
        has_split = value is not None and str(value).strip() != ""
        split = find_split(value)
        if has_split and split is None:
            raise ValueError(f"expected a split (train, dev, validation or test), found {value!r}")
        if self._first is None:
            self._first = has_split, location
        first_has_split, first_location = self._first
        if first_has_split and not has_split:
            raise ValueError(
                f"expected a split in every row or in none, found one in {first_location} and none here"
            )
        if has_split and not first_has_split:
            raise ValueError(
                f"expected a split in every row or in none, found none in {first_location} and "
                f"{value!r} here"
            )
        return split
