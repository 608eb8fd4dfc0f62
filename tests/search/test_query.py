"""The bar's line and the address, read and written."""

import dataclasses

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from search.query import Query, QueryError, format_bar, from_address, parse_bar


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("", ("", (), (), "")),
        ("a red boat", ("a red boat", (), (), "")),
        ("sunset #beach -#people", ("sunset", ("beach",), ("people",), "")),
        ('#"golden retriever" in  the   park', ("in the park", ("golden retriever",), (), "")),
        ("#Beach #beach #BEACH", ("", ("beach",), (), "")),
        ("c# and a#b stay words", ("c# and a#b stay words", (), (), "")),
        ("-#a#b", ("", (), ("a#b",), "")),
        ("tab\there\x00", ("tab here", (), (), "")),
        ('boat -"many people" #sea -"rain"', ("boat", ("sea",), (), "many people rain")),
        ("well-known -words stay", ("well-known -words stay", (), (), "")),
    ],
)
def test_the_bar(line, parsed):
    assert tuple(parse_bar(line).values()) == parsed


@pytest.mark.parametrize("line", ["#", "-#", '#""', "# beach", "#" + "x" * 101])
def test_a_tag_without_a_name_is_an_error(line):
    with pytest.raises(QueryError, match="q: A tag"):
        parse_bar(line)


names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).map(str.lower)


@given(text=st.lists(names).map(" ".join), tags=st.lists(names, unique=True, max_size=4))
def test_what_the_bar_writes_it_reads(text, tags):
    try:
        query = Query(**parse_bar(f"{text} " + " ".join(f"#{tag}" for tag in tags)))
    except QueryError:
        return
    query = dataclasses.replace(query, exclude_text=text)
    assert Query(**parse_bar(format_bar(query))) == query


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("image=abc", "image"),
        ("image=-1", "image"),
        ("image=99999999999999999999", "image"),
        ("image=1.5", "image"),
        ("image=" + "&image=".join(map(str, range(1, 12))), "image"),
        ("q=" + "x" * 1001, "text"),
        ("q=" + "+".join(f"%23t{i}" for i in range(51)), "tags"),
        ("q=%23a+-%23a", "exclude_tags"),
        ("image=3&exclude_image=3", "exclude_image"),
        ("exclude_image=x", "exclude_image"),
    ],
)
def test_a_wrong_address_names_the_field(address, field):
    with pytest.raises(QueryError) as error:
        from_address(QueryDict(address))
    assert error.value.field == field


def test_an_address_holds_everything():
    query = from_address(QueryDict("q=boat+%23sea&image=3&image=4&image=3&picture=k"))
    assert query == Query("boat", ("sea",), (), (3, 4), ("k",))
    assert not from_address(QueryDict("q=++"))
