"""Reading files row by row, whatever is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake_service.channels.domain.decoding import Decoder, WrongEncoding
from services.intake_service.channels.domain.rows import (
    LONGEST_ROW,
    BrokenRow,
    Columns,
    CsvReader,
    MissingColumns,
    NdjsonReader,
    SourceRow,
)
from shared.kernel.errors import InvalidInput

COLUMNS = Columns(("id", "text"), frozenset())


def read(text: str, *, piece: int = 1 << 20) -> list[SourceRow | BrokenRow]:
    reader = CsvReader(COLUMNS)
    rows: list[SourceRow | BrokenRow] = []
    for at in range(0, len(text), piece):
        rows += reader.feed(text[at : at + piece])
    return [*rows, *reader.feed("", last=True)]


def told(rows: list[SourceRow | BrokenRow]) -> list[tuple[int, str]]:
    return [
        (row.line, row.reason if isinstance(row, BrokenRow) else row.values["id"]) for row in rows
    ]


def test_columns_are_found_whatever_their_case_blanks_and_hyphens() -> None:
    columns = Columns(("Date received", "Sub-product"), frozenset())

    assert columns.locate(["\ufeffDate_received", "SUB product "]) == {
        "Date received": 0,
        "Sub-product": 1,
    }


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(MissingColumns, match="twice"):
        COLUMNS.locate(["id", "text", "Text"])


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    rows = read('id,text\n1,"open\n2,b\n3,c\n')

    assert told(rows) == [(2, "unclosed-quote"), (3, "2"), (4, "3")]


def test_a_quote_closed_by_a_later_row_costs_its_own_line_only() -> None:
    rows = read('id,text\n1,"open\n2,"b, c"\n3,c\n')

    assert told(rows) == [(2, "unclosed-quote"), (3, "2"), (4, "3")]


def test_an_unclosed_quote_does_not_fill_the_memory() -> None:
    reader = CsvReader(COLUMNS)
    line = "x" * 999 + "\n"

    rows = [*reader.feed('id,text\n1,"open\n')]
    for _ in range(LONGEST_ROW // 1000 + 10):
        rows += reader.feed(line)

    assert told(rows)[0] == (2, "unclosed-quote")


def test_quotes_inside_a_field_are_text() -> None:
    rows = read('id,text\n1,a 5" pipe\n2,"say ""no"""\n')

    assert [row.values["text"] for row in rows if isinstance(row, SourceRow)] == [
        'a 5" pipe',
        'say "no"',
    ]


def test_a_broken_last_line_is_told() -> None:
    assert told(read("id,text\n1,a\n2")) == [(2, "1"), (3, "too-few-columns")]


def test_empty_lines_are_no_rows() -> None:
    assert told(read("id,text\n\n1,a\n\n\n")) == [(3, "1")]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00")), max_size=8),
    st.integers(1, 40),
)
def test_pieces_of_any_size_read_alike(texts: list[str], piece: int) -> None:
    quoted = "".join(
        f'{n},"{text.replace(chr(34), chr(34) * 2)}"\n' for n, text in enumerate(texts)
    )
    file = "id,text\n" + quoted

    rows = read(file, piece=piece)

    assert [row.values["text"] for row in rows if isinstance(row, SourceRow)] == texts


def test_a_character_cut_between_pieces_is_put_together() -> None:
    decoder = Decoder("utf-8")
    data = "\ufeff投诉\r\n".encode()

    text = "".join(decoder.feed(data[at : at + 1]) for at in range(len(data)))

    assert text + decoder.feed(b"", last=True) == "投诉\n"


def test_a_wrong_byte_is_told_by_its_place_in_the_whole_file() -> None:
    decoder = Decoder("utf-8")
    decoder.feed("一行\n二".encode() + b"\xe4")

    with pytest.raises(WrongEncoding, match=r"byte 10 \(line 2\)"):
        decoder.feed(b"abc")


def test_a_character_broken_off_at_the_end_is_told() -> None:
    decoder = Decoder("utf-8")
    decoder.feed("投".encode() + b"\xe8\xaf")

    with pytest.raises(WrongEncoding, match=r"byte 3 \(line 1\)"):
        decoder.feed(b"", last=True)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    reader = NdjsonReader(COLUMNS)
    assert told(list(reader.feed('{"id": "1", "text": "a"}\n'))) == [(1, "1")]

    endless = [list(reader.feed('{"id": "2", "text": "b"}, ' * 1000)) for _ in range(40)]

    assert endless == [[]] * 40
    with pytest.raises(InvalidInput, match="Line 2 has over"):
        list(reader.feed('{"id": "2", "text": "b"}, ' * 1000))


@pytest.mark.parametrize("opening", ["[", '{"text": '])
def test_json_nested_too_deep_to_read_costs_its_own_line_only(opening: str) -> None:
    sound = ['{"id": "1", "text": "a"}', '{"id": "3", "text": "c"}']

    rows = list(NdjsonReader(COLUMNS).feed(f"{sound[0]}\n{opening * 50_000}\n{sound[1]}\n"))

    assert told(rows) == [(1, "1"), (2, "malformed-json"), (3, "3")]
