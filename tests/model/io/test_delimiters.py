"""Tables whose names do not say how they are written: whether cells between tabs are quoted."""

import time

import pytest

from claimstance.model.io.delimiters import is_unquoted


@pytest.mark.parametrize(
    "lines",
    [
        # a quotation that runs over rows
        ("id\ttext", '1\t"The mill burns.', '2\tNobody came."', "3\tHe left."),
        ("text\tlabel", '"The mill burns.\tyes', 'Nobody came."\tno', "He left.\tno"),
        ("id\ttext", '1\t"The mill burns.', "", '2\tNobody came."'),
        # a mark that is never closed, in the first, in the last, in every row
        ("id\ttext", '1\t"The mill burns.', "2\tHe left.", "3\tShe stayed."),
        ("id\ttext", "1\tHe left.", '2\t"The mill burns.'),
        ("id\ttext", '1\t"The mill burns.', '2\t"Nobody came.', '3\t"He left.'),
        # text after the closing mark
        ("id\ttext", '1\t"The mill burns," he said.', "2\tHe left."),
        ("id\ttext", '1\t""The mill burns," he said.', "2\tHe left."),
        # a mark at one cell and another at the next, with a tab between them
        ("a\tb\tc", 'He said\t"no\tand left"', "She\tstayed\there"),
        # a whole cell between marks, where others that are like it have none
        ("id\ttext", '1\t"The mill burns."', "2\tNobody came.", "3\tHe left."),
        ("text", '"The mill burns.', "He left."),
        ("text", '"The mill burns." He left.', "She stayed."),
    ],
)
def test_marks_that_stand_for_themselves(lines):
    assert is_unquoted(lines, "\t")
    assert is_unquoted((f"{line}\r\n" for line in lines), "\t")


@pytest.mark.parametrize(
    "lines",
    [
        ("id\ttext", "1\tThe mill burns.", '2\tHe said "no".'),  # either way the same
        ("id\ttext", '1\t"The mill burns.', 'Nobody came."', "2\tHe left."),
        ("id\ttext", '1\t"The mill burns.', "", 'Nobody came."', "2\tHe left."),
        ("text\tid", '"The mill', "burns.", 'Nobody came."\t1', "He left.\t2"),
        ("id\ttext", '1\t"The mill\tburns."', "2\tHe left."),
        ("id\ttext", '1\t"He said ""no"" twice."', "2\tHe left."),
        ("id\ttext", '1\t"The mill, they say, burns."', "2\tHe left."),  # as Excel quotes
        ('"id"\t"text"', '"1"\t"The mill burns."', '"2"\t"He "left" again."'),
        ("id\ttext", '"1"\t"The mill burns."', '"2"\t"He "left" again."', '"3"\t"She stayed."'),
        ("id\ttext", '1\t"The mill burns."', "2\tNA", "3\t2026", '4\t"He left."'),  # as R quotes
        ("text", '"The mill burns.', "", 'Nobody came."', "He left."),  # one column: no telling
        ("id\ttext",),
        (),
    ],
)
def test_marks_that_quote_cells(lines):
    assert not is_unquoted(lines, "\t")
    assert not is_unquoted((f"{line}\r\n" for line in lines), "\t")


def test_one_slip_does_not_outweigh_the_other_rows():
    rows = [line for n in range(20) for line in (f'{n}\t"He said ""no""\tin May, and', 'left."')]
    assert not is_unquoted(["id\ttext", '0\t"She "stayed"."', *rows], "\t")
    rows = [f'{n}\t"He left, and' for n in range(20)]
    assert is_unquoted(["id\ttext", '0\t"a ""b"" c"', *rows], "\t")


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_tables_with_other_delimiters_quote_their_cells(delimiter):
    lines = (f"id{delimiter}text", f'1{delimiter}"The mill burns.', f'2{delimiter}Nobody came."')
    assert not is_unquoted(lines, delimiter)


@pytest.mark.parametrize(
    "row", ['1\t"' + '""' * 1000 + '"x' * 1000, '1\t"' * 1000, '"' * 3001, '1\t"' + "x" * 4000]
)
def test_every_line_is_looked_at_once(row):
    begun = time.process_time()
    is_unquoted(["id\ttext", *[row] * 1000], "\t")
    assert time.process_time() - begun < 5
