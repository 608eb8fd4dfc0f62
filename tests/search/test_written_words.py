"""What people wrote counts: file names, captions, tags, places, albums, text in pictures."""

import pytest

from gallery import extractor_switch, tagging
from gallery.extraction import registry
from gallery.models import Album, AlbumImage, AlbumMember, Favourite, Image, Tag, TextInImage
from search import engine, live_index, suggestions
from search.good_matches import Verdict
from search.models import SavedSearch
from search.query import color_words
from search.query.filters import Filters
from search.query.named_tags import known_in
from search.query.query import Query
from tests.conftest import wrong_fields


def answer(user, text, **fields):
    return engine.search(Query(text=text, **fields), user, good_only=True)


def first(user, text, **fields):
    [result, *_] = answer(user, text, **fields).results
    return result.image.filename, [(own.word, own.where) for own in result.parts.matched_words]


def test_a_picture_is_found_by_its_file_name(curator):
    name, matched = first(curator, "astronaut")
    assert (name, matched) == ("astronaut.png", [("astronaut", ["name"])])
    assert answer(curator, "hubble_deep").good == 1


@pytest.mark.parametrize("write", ["caption", "keyword", "text", "album", "place"])
def test_every_place_counts_is_named_and_follows_changes(curator, photo, write):
    camera = photo("camera")
    text = "Zw\u00f6lf Xylophone am Meer"
    assert answer(curator, "xylophone zwolf").verdict != Verdict.GOOD
    match write:
        case "caption" | "place":
            Image.objects.filter(pk=camera.pk).update(**{write: text})
        case "keyword":
            tagging.add(camera, text)
        case "text":
            TextInImage.objects.create(image=camera, text=text)
        case "album":
            AlbumImage.objects.create(album=Album.objects.create(owner=curator, title=text), image=camera)
    page = answer(curator, "xylophone zwolf")
    assert (page.good, page.verdict, page.unknown_words) == (1, Verdict.GOOD, [])
    name, matched = first(curator, "xylophone zwolf")
    assert (name, matched) == ("camera.png", [("xylophone", [write]), ("zwolf", [write])])
    TextInImage.objects.all().delete()
    Image.objects.filter(pk=camera.pk).update(caption="", place="")
    tagging.remove(camera, text)
    Album.objects.all().delete()
    assert answer(curator, "xylophone zwolf").verdict != Verdict.GOOD


def test_a_place_and_an_album_are_found_by_those_who_may_know_them(curator, stranger, photo):
    camera = photo("camera")
    Image.objects.filter(pk=camera.pk).update(place="Reykjavik, Iceland")
    shared = Album.objects.create(owner=curator, title="Mixed")
    AlbumImage.objects.create(album=shared, image=camera)
    AlbumMember.objects.create(album=shared, user=stranger)
    AlbumImage.objects.create(album=Album.objects.create(owner=curator, title="Zugspitze"), image=camera)
    assert answer(stranger, "reykjavik").verdict == Verdict.WEAK
    assert answer(stranger, "zugspitze").verdict != Verdict.GOOD
    assert answer(stranger, "mixed").good == 1
    assert not engine.search(Query(filters=Filters(place="Iceland")), stranger).results
    shared.shows_location = True
    shared.save()
    assert answer(stranger, "reykjavik").good == 1
    assert len(engine.search(Query(filters=Filters(place="Iceland")), stranger).results) == 1
    assert answer(curator, "zugspitze").good == 1


def test_rare_words_weigh_more_and_parts_add_up(curator, photo):
    Image.objects.exclude(filename="coffee.png").update(caption="holiday in Portugal")
    Image.objects.filter(pk=photo("moon").pk).update(caption="Setubal")
    results = engine.search(Query(text="holiday Setubal"), curator).results
    written = {result.image.filename: result.parts.words for result in results}
    assert written["moon.png"] > written["camera.png"] > written["coffee.png"] == 0
    for result in results:
        parts = result.parts
        assert result.score == pytest.approx(parts.image + parts.text + parts.tags + parts.words)


def test_the_original_ranking_has_no_words(curator):
    results = engine.search(Query(text="astronaut", fusion="mean"), curator).results
    assert {result.parts.words for result in results} == {0}


def test_a_minus_excludes_by_tag_and_by_likeness(curator, photo):
    tagging.add(photo("coffee"), "hot drink")
    names = [
        r.image.filename for r in engine.search(Query(text="cup", exclude_words=("cat",)), curator).results
    ]
    assert "chelsea.png" not in names
    names = [
        r.image.filename for r in engine.search(Query(text="cup", exclude_words=("zebra",)), curator).results
    ]
    assert len(names) == 21


def found_by(user, **filters):
    return sorted(
        result.image.filename for result in engine.search(Query(filters=Filters(**filters)), user).results
    )


def test_filters_of_what_is_written_and_seen(curator, stranger, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(camera="Canon EOS R5", lens="RF 35mm F1.8")
    assert found_by(curator, camera="canon") == found_by(curator, lens="35mm") == ["coffee.png"]
    assert found_by(curator, camera="eos canon") == ["coffee.png"]
    assert found_by(curator, camera="nikon") == []
    assert found_by(curator, name="deep") == ["hubble_deep_field.jpg"]
    assert "camera.png" in found_by(curator, bw=True)
    assert "coffee.png" not in found_by(curator, bw=True)
    assert "coffee.png" in found_by(curator, color="brown")
    assert (
        set(found_by(curator, orientation="landscape")) & set(found_by(curator, orientation="portrait"))
        == set()
    )
    assert len(found_by(curator, mine=True)) == 21
    assert found_by(curator, shared=True) == found_by(stranger, mine=True) == []
    assert found_by(curator, screenshot=True) == []
    Image.objects.filter(pk=photo("coffee").pk).update(filename="Bildschirmfoto 2024.png", camera="")
    assert found_by(curator, screenshot=True) == ["Bildschirmfoto 2024.png"]


def test_favourites_are_each_persons_own(curator, stranger, photo):
    Favourite.objects.create(user=curator, image=photo("coffee"))
    Favourite.objects.create(user=stranger, image=photo("chelsea"))
    assert found_by(curator, favourite=True) == ["coffee.png"]
    assert found_by(stranger, favourite=True) == []


@pytest.mark.parametrize(
    ("text", "color"), [("something blue", "blue"), ("black and white photo", "bw"), ("algo azul", "blue")]
)
def test_a_colour_alone_is_answered_by_colour(curator, text, color):
    page = answer(curator, text)
    colored = set(found_by(curator, **({"bw": True} if color == "bw" else {"color": color})))
    assert {result.image.filename for result in page.results} == colored
    assert page.verdict == Verdict.GOOD


def test_a_colour_and_a_thing_must_both_be_there(curator):
    assert answer(curator, "brown coffee").good == 1
    assert answer(curator, "blue coffee").good == 0


def test_what_is_misspelt_is_offered_right(curator, stranger, photo):
    Image.objects.filter(pk=photo("moon").pk).update(caption="Setubal")
    page = answer(curator, "astronaud")
    assert [(own.word, own.instead) for own in page.corrections] == [("astronaud", "astronaut")]
    assert [own.instead for own in answer(curator, "setubql").corrections] == ["setubal"]
    assert [own.instead for own in engine.search(Query(tags=("espreso",)), curator).corrections] == [
        "espresso"
    ]
    assert answer(stranger, "setubql").corrections == []
    assert answer(curator, "qwertzuiopy").corrections == []


def test_the_page_offers_it_in_one_click(page):
    html = page.get("/", {"q": "astronaud #cup"}).content.decode()
    assert "Did you mean" in html
    assert 'href="/?q=astronaut+%23cup"' in html
    assert "file name" in page.get("/", {"q": "astronaut"}).content.decode()


def test_suggestions_while_typing(api, curator, stranger):
    album = Album.objects.create(owner=curator, title="Espresso bars of Lisbon")
    Album.objects.create(owner=stranger, title="Espresso secrets")
    SavedSearch.objects.create(owner=curator, name="My espressos", address="q=espresso")
    found = api.get("/api/v1/suggestions/", {"q": "espr"}).json()
    assert [(own["kind"], own["name"]) for own in found] == [
        ("tag", "espresso"), ("album", "Espresso bars of Lisbon"), ("search", "My espressos"),
    ]  # fmt: skip
    assert found[1]["id"] == album.pk
    assert wrong_fields(api.get("/api/v1/suggestions/", {"q": "x" * 101})) == ["q"]
    assert api.get("/api/v1/suggestions/").status_code == 200


@pytest.mark.parametrize(
    ("text", "colors", "rest"),
    [
        ("red tv", ["red"], "tv"),
        ("red \u732b", ["red"], "\u732b"),
        ("something in blue", ["blue"], ""),
        ("a picture of something red!", ["red"], ""),
        ("golden retriever", [], "golden retriever"),  # known, although no picture carries the tag
        ("golden retrievers in a red car", ["red"], "golden retrievers in a car"),
        ("orange", [], "orange"),
        ("blue jeans and a red hat", ["red"], "blue jeans and a hat"),
    ],
)
def test_what_is_a_colour_and_what_is_part_of_a_name(text, colors, rest):
    names = registry.load(registry.target()).tag_names()
    assert color_words.split(text, known_in(text, names)) == (colors, rest)


def test_the_nearest_word_that_one_sees_is_offered(curator, stranger, photo):
    """However many others, that one does not see, are nearer."""
    Image.objects.filter(pk=photo("moon").pk).update(caption="Zwiebelturm")
    for letter in "abcdefghijklmnopqrstuvwxyz":
        Tag.objects.create(name=f"zwiebelturn{letter}")
        Tag.objects.create(name=f"zwiebelturm{letter}s")
    [found] = answer(curator, "zwiebelturnm").corrections
    assert found.instead == "zwiebelturm"
    assert answer(stranger, "zwiebelturnm").corrections == []


def test_far_too_many_misspelt_words_are_no_trouble(curator):
    page = answer(curator, " ".join(f"astronaud{i:x}".replace("0", "g") for i in range(80)))
    assert len(page.corrections) <= suggestions.MOST_CORRECTED
    assert answer(curator, "w" * 1000).corrections == []


def test_a_corrected_tag_of_several_words_stays_one_tag(page, photo):
    tagging.add(photo("moon"), "night sky")
    for line in ("coffee #nightsky", 'coffee #"nigth sky"'):
        assert "coffee+%23%22night+sky%22" in page.get("/", {"q": line}).content.decode()


def test_words_of_a_deleted_picture_leave_the_index(curator, photo, monkeypatch, settings):
    Image.objects.filter(pk=photo("moon").pk).update(caption="Verschwiegenheit")
    extractor = extractor_switch.current()
    live_index.rebuild(extractor)

    def kept() -> bool:
        [words] = (settings.INDEX_DIR).rglob("words_text.bin")
        return b"verschwiegenheit" in words.read_bytes()

    assert kept()
    photo("moon").delete()
    monkeypatch.setattr(live_index, "LEAST_CHANGES", -1)
    assert live_index.compact(extractor)
    assert not kept()
