"""Tags that are suggested: only those on pictures that this person sees, with how many those are."""

import pytest

from gallery.extraction.lite import Lite
from gallery.models import Album, AlbumImage, AlbumMember, Image, ImageTag, Tag
from search import engine, suggestions
from search.query.query import Query
from tests.conftest import wrong_fields

SUGGESTIONS = "/api/v1/tags/suggestions/"


@pytest.fixture
def tagged(curator, photo):
    """'sea' on three pictures, 'seal' on one, 'north sea' on two."""
    for name, photos in {
        "sea": ["coffee", "rocket", "chelsea"],
        "seal": ["coffee"],
        "north sea": ["coffee", "rocket"],
    }.items():
        tag = Tag.objects.create(name=name)
        ImageTag.objects.bulk_create([ImageTag(image=photo(own), tag=tag) for own in photos])


def pairs(found) -> list[tuple[str, int]]:
    return [(own.name, own.count) for own in found]


def test_completion_by_the_beginning_of_any_word_most_frequent_first(curator, tagged):
    assert pairs(suggestions.complete("SE", curator)) == [("sea", 3), ("north sea", 2), ("seal", 1)]
    assert pairs(suggestions.complete("north", curator)) == [("north sea", 2)]
    assert pairs(suggestions.complete("sea", curator, limit=1)) == [("sea", 3)]
    assert suggestions.complete("xyz", curator) == []
    assert len(suggestions.complete("", curator)) == 12


def test_only_tags_on_pictures_that_one_sees_are_suggested_and_counted(curator, stranger, tagged, photo):
    assert suggestions.complete("se", stranger) == []
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("rocket"))
    member = AlbumMember.objects.create(album=album, user=stranger)
    assert pairs(suggestions.complete("se", stranger)) == [("north sea", 1), ("sea", 1)]
    member.delete()
    assert suggestions.complete("se", stranger) == []


def test_the_api(api, tagged):
    answer = api.get(SUGGESTIONS, {"q": "#north"})
    assert answer.json() == [{"name": "north sea", "count": 2}]
    assert wrong_fields(api.get(SUGGESTIONS, {"q": "x" * 101})) == ["q"]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("espresso", [("espresso", 1, "espresso")]),
        ("two espressos please", [("espresso", 1, "espressos")]),
        ("a swim in the North Sea", [("sea", 3, "sea"), ("north sea", 2, "north sea")]),
        ("tabby", [("tabby cat", 1, "tabby")]),  # a synonym, by WordNet
        ("unicorn", []),
        ("#espresso", []),
    ],
)
def test_words_that_name_a_tag_offer_it(curator, tagged, text, offered):
    found = engine.search(Query(text=text), curator).offers
    assert [(own.name, own.count, own.words) for own in found] == offered


def test_a_tag_that_is_asked_for_already_or_that_nobody_sees_is_not_offered(curator, stranger):
    assert engine.search(Query(text="espresso", tags=("espresso",)), curator).offers == []
    assert engine.search(Query(text="espresso"), stranger).offers == []


def test_the_page_links_to_the_tag_in_place_of_the_word(page, tagged):
    response = page.get("/", {"q": "hot Espresso drink", "image": Image.objects.first().pk, "page": 1})
    assert b"q=hot+%23espresso+drink&amp;image=" in response.content
    response = page.get("/", {"q": "the north  sea"})
    assert b"q=the+%23%22north+sea%22" in response.content


def test_synonyms_name_one_class_each():
    synonyms = Lite.synonyms()
    assert synonyms["tabby"] == "tabby cat"
    assert len(synonyms) > 500
    assert not set(synonyms) & set(synonyms.values())
