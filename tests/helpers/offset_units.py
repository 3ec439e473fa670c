"""Find the unit of the offsets of several documents."""

from claimstance.training.data.documents.offsets import UnitSearch


def find_unit(documents, path):
    """Return the unit of the documents of a file, and its description in the report."""
    search = UnitSearch()
    for document in documents:
        search.add(document)
    unit = search.unit(path)
    return unit, search.describe(unit)
