"""Test the distinction of tables with tabs whose quotation marks are text from those with quoted cells."""

import pytest

from claimstance.model.io.delimiters import is_unquoted

HEADER = "id\ttext"

UNQUOTED = {
    "two rows between the marks of one quotation": ['1\t"We won.', '2\tWe did."'],
    "three rows between them": ['1\t"We won.', "2\tIt rained.", '3\tWe did."', "4\tSun."],
    "text after the closing mark": ['1\t"No," she said.'],
    "a mark inside of a later word": ['1\t"Second thoughts.', '2\tOrr lives by the lobby"s door.'],
    "a mark that is never closed": ["1\tRain.", '2\t"And so', "3\tit ended."],
    "a blank line between the rows": ['1\t"We won.', "", '2\tWe did."'],
    "rows before the first mark": ["1\tRain.", "2\tSun.", '3\t"We won.', '4\tWe did."'],
    "cells that are empty": ['1\t"', "2\t", '3\t"'],
}
QUOTED = {
    "no quotation marks": ["1\tRain.", "2\tSun."],
    "cells in quotes": ['1\t"Rain."', '2\t"She said ""no""."'],
    "a cell of several lines": ['1\t"Rain.', 'Then sun."'],
    "a cell of several lines with other numbers of tabs": ['1\t"a\tb\tc', 'd"'],
    "a paragraph with a blank line": ['1\t"Rain.', "", 'Then sun."'],
    "marks in the middle of a cell": ['1\tShe said "no".', '2\tThe 6" pipe.'],
    "a cell of several lines before a broken one": ['1\t"Rain.', 'Sun."', '2\t"No," she said.'],
    "a cell longer than the parser's limit": ['1\t"' + "rain " * 50_000 + '"', '2\t"Sun, too."'],
    "a line that lacks a cell": ['1\t"We won.', 'We did."', '2\tx"'],
}


@pytest.mark.parametrize("rows", UNQUOTED.values(), ids=UNQUOTED)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["bare", "lf", "crlf"])
def test_unquoted_tables_are_recognized(rows, end):
    assert is_unquoted([line + end for line in [HEADER, *rows]], "\t")


@pytest.mark.parametrize("rows", QUOTED.values(), ids=QUOTED)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["bare", "lf", "crlf"])
def test_quoted_tables_are_recognized(rows, end):
    assert not is_unquoted([line + end for line in [HEADER, *rows]], "\t")


def test_a_header_in_quotes_belongs_to_a_quoted_table():
    assert not is_unquoted(['"id"\t"text"', '"1"\t"a', '2\tb"'], "\t")


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_tables_with_other_delimiters_are_quoted(delimiter):
    assert not is_unquoted([f"id{delimiter}text", f'1{delimiter}"a', f'2{delimiter}b"'], delimiter)


def test_a_table_of_one_column_is_quoted():
    assert not is_unquoted(["text", '"Rain.', 'Sun."'], "\t")


def test_an_empty_table_is_quoted():
    assert not is_unquoted([], "\t")


def test_reading_ends_at_the_row_that_decides():
    def lines():
        yield from [HEADER, '1\t"We won.', '2\tWe did."']
        raise AssertionError("a line was read after the decision")

    assert is_unquoted(lines(), "\t")


def test_a_mark_without_an_end_extends_to_the_longest_cell():
    lines = [HEADER, '1\t"', *("2\t" + "rain " * 100 for _ in range(10_000))]
    assert is_unquoted(lines, "\t")
