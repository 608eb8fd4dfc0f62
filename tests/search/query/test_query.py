"""The bar's line and the address, read and written."""

import dataclasses
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from search.api import SearchSerializer
from search.query.address import from_address, to_address
from search.query.bar import format_bar, parse_bar
from search.query.errors import QueryError
from search.query.filters import Filters
from search.query.query import Query


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("", {}),
        ("a red boat", {"text": "a red boat"}),
        ("sunset #beach -#people", {"text": "sunset", "tags": ("beach",), "exclude_tags": ("people",)}),
        ('#"golden retriever" in  the   park', {"text": "in the park", "tags": ("golden retriever",)}),
        ("#Beach #beach #BEACH", {"tags": ("beach",)}),
        ("c# and a#b stay words", {"text": "c# and a#b stay words"}),
        ("-#a#b", {"exclude_tags": ("a#b",)}),
        ("tab\there\x00", {"text": "tab here"}),
        (
            'boat -"many people" #sea -"rain"',
            {"text": "boat", "tags": ("sea",), "exclude_text": "many people rain"},
        ),
        ("well-known - stays", {"text": "well-known - stays"}),
        ("cat -dog -Two-legged", {"text": "cat", "exclude_words": ("dog", "Two-legged")}),
        ('red "boat', {"text": "red", "phrases": {"boat": 1.0}}),
        ('red -"boat', {"text": "red", "exclude_text": "boat"}),
        ('album:"Two words', {"filters": Filters(album="Two words")}),
        ('#"6"" nails" #a"b', {"tags": ('6" nails', 'a"b')}),
        (
            "colour:Blau name:beach is:bw is:mine is:shared is:favourite is:screenshot",
            {
                "filters": Filters(
                    color="blue",
                    name="beach",
                    bw=True,
                    mine=True,
                    shared=True,
                    favourite=True,
                    screenshot=True,
                )
            },
        ),
        (
            "camera:canon lens:35mm place:Lisbon orientation:portrait",
            {"filters": Filters(camera="canon", lens="35mm", place="Lisbon", orientation="portrait")},
        ),
        ('sunset "red boat"', {"text": "sunset", "phrases": {"red boat": 1.0}}),
        ('2:sunset .5:"red boat"', {"phrases": {"sunset": 2.0, "red boat": 0.5}}),
        ("2:#sailing 1:#sea", {"tags": ("sailing", "sea"), "tag_weights": {"sailing": 2.0}}),
        ('3:#"golden retriever"', {"tags": ("golden retriever",), "tag_weights": {"golden retriever": 3.0}}),
        ("after:2024-05 before:2025", {"filters": Filters(after="2024-05", before="2025")}),
        (
            "added-after:2024-05-17 added-before:2026",
            {"filters": Filters(added_after="2024-05-17", added_before="2026")},
        ),
        ('album:Corsica owner:"ana"', {"filters": Filters(album="Corsica", owner="ana")}),
        ('ALBUM:"Two words"', {"filters": Filters(album="Two words")}),
        (
            "format:jpg min-size:1000px is:untagged",
            {"filters": Filters(format="JPEG", min_size=1000, untagged=True)},
        ),
        ("album: empty", {"text": "album: empty"}),
        ("5\"disk it's", {"text": "5\"disk it's"}),
        ('"" boat', {"text": "boat"}),
    ],
)
def test_the_bar(line, fields):
    assert Query(**parse_bar(line)) == Query(**fields)


@pytest.mark.parametrize(
    ("line", "position", "message"),
    [
        ("#", 0, "A tag needs"),
        ("boat -#", 5, "A tag needs"),
        ('a #""', 2, "A tag needs"),
        ("# beach", 0, "A tag needs"),
        ("#" + "x" * 101, 0, "at most 100"),
        ("boat shade:red", 5, "no filter 'shade:'"),
        ("boat color:loud", 11, "one of"),
        ("orientation:sideways", 12, "one of"),
        ("name:-", 5, "Give a word"),
        ("a -format:png", 2, "A filter can't have a minus"),
        ("https://example.org", 0, "no filter 'https:'"),
        ("boat after:yesterday", 11, "not a date"),
        ("boat before:2024-13", 12, "not a date"),
        ("after:2024 after:2025", 11, "once"),
        ("format:mp3", 7, "one of"),
        ("min-size:big", 9, "not a number"),
        ("min-size:9999999", 9, "pixels"),
        ("is:pretty", 3, "accepts only .untagged., .favourite."),
        ('owner:""', 6, "value is missing"),
        ("boat 200:#sea", 5, "weight"),
        ("0:boat", 0, "weight"),
        ("boat -2:#sea", 5, "Excluded"),
    ],
)
def test_what_the_bar_cannot_read_is_pointed_at(line, position, message):
    with pytest.raises(QueryError, match=message) as error:
        parse_bar(line)
    assert (error.value.field, error.value.position) == ("q", position)
    assert f"At character {position + 1}: " in str(error.value)


def test_the_bar_and_json_ask_the_same():
    line = 'sunset #beach -#people "red boat" -"tourists" 2:#sailing after:2024-05 album:Corsica'
    body = {
        "text": "sunset",
        "phrases": {"red boat": 1},
        "tags": ["beach", "sailing"],
        "tag_weights": {"sailing": 2, "beach": 1},
        "exclude_tags": ["people"],
        "exclude_text": "tourists",
        "after": "2024-05",
        "album": "Corsica",
    }
    form = SearchSerializer(data=body)
    assert form.is_valid()
    assert form.to_query() == from_address(QueryDict(urlencode({"q": line})))


@given(line=st.text(st.sampled_from('ab #-":2.5albumfter')) | st.text())
def test_any_line_is_read_or_pointed_at(line):
    try:
        query = Query(**parse_bar(line))
    except QueryError as error:
        assert error.field != "q" or 0 <= error.position < len(line)
        return
    assert Query(**parse_bar(format_bar(query))) == query


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


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("fusion=worst", "fusion"),
        ("weight_text=-1", "weight_text"),
        ("weight_tags=101", "weights"),
        ("album=x", "album"),
        ("album=3&q=album:Corsica", "album"),
    ],
)
def test_a_wrong_choice_names_the_field(address, field):
    with pytest.raises(QueryError) as error:
        from_address(QueryDict(address))
    assert error.value.field == field


def test_an_address_holds_everything():
    query = from_address(
        QueryDict("q=boat+%23sea&image=3&image=4&image=3&picture=k&album=7&weight_text=2&fusion=rrf")
    )
    weights = {"image": 1, "text": 2, "tags": 1, "words": 1}
    assert query == Query(
        "boat", tags=("sea",), image_ids=(3, 4), picture_keys=("k",), filters=Filters(album=7),
        weights=weights, fusion="rrf",
    )  # fmt: skip
    assert from_address(QueryDict(urlencode(to_address(query)))) == query
    assert not from_address(QueryDict("q=++"))
