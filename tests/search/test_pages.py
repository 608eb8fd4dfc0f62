"""The search page: the bar's form, its address, results and their pages."""

import re

import pytest

from search.views import home as views
from tests.conftest import demo_path, upload
from tests.gallery.test_pages import text_of


def found(response) -> list[str]:
    return [result.image.filename for result in response.context["results"].results]


def test_home_shows_recent_pictures(page):
    response = page.get("/")
    assert response.content.count(b'class="tile"') == 21


def test_home_without_pictures_says_how_to_begin(client, stranger):
    client.force_login(stranger)
    assert "Welcome to Picfusion" in text_of(client.get("/"))


def test_words_in_the_address_show_results_with_their_parts(page):
    response = page.get("/", {"q": "hot drink", "all": 1})
    assert found(response)[0] == "coffee.png"
    words = text_of(response)
    assert "21 pictures" in words
    assert "It looks like what you typed." in words  # no tag of it says so
    assert not re.search(r"0\.\d\d", words)  # scores are the engine's business


def test_words_say_which_tags_and_colours_they_found(page):
    words = text_of(page.get("/", {"q": "red espresso"}))
    assert "It fits your words." in words
    why = words[words.index("It fits your words.") :][:200]
    assert "#espresso" in why
    assert "red" in why


def test_weights_of_nothing_can_be_mended_where_they_are(page, photo):
    asked = {"q": "cup", "image": photo("coffee").pk, "weight_text": 0, "weight_image": 0, "weight_tags": 0}
    response = page.get("/", asked | {"weight_words": 0})
    assert response.status_code == 400
    assert "a weight above 0" in text_of(response)
    form = response.content.decode()
    assert re.search(r'<details class="more"\s+open>', form)  # the sliders
    assert f'name="image" value="{photo("coffee").pk}"' in form


def test_a_tag_shows_what_matched(page):
    words = text_of(page.get("/", {"q": "#espresso"}))
    assert "1 picture" in words
    assert "#espresso" in words


def test_unknown_tags_are_reported(page):
    response = page.get("/", {"q": "#espresso #unicorn"})
    assert "No picture is tagged #unicorn." in text_of(response)


def test_the_form_becomes_an_address_that_can_be_reopened_and_shared(page, client, stranger, curator):
    response = page.post(
        "/", {"q": "#espresso cup", "file": upload(demo_path("coffee").read_bytes(), "mine.png")}
    )
    assert response.status_code == 302
    address = response["Location"]
    assert re.fullmatch(r"/\?q=%23espresso\+cup&picture=[\w-]{20,}", address)
    for _ in range(2):
        results = page.get(address)
        assert found(results)[0] == "coffee.png"
        assert b'alt="mine.png"' in results.content
    thumbnail = re.search(rb'src="(/query-picture/[^"]+)"', results.content)[1].decode()
    assert page.get(thumbnail)["Content-Type"] == "image/jpeg"
    client.force_login(stranger)
    shared = client.get(address)
    assert shared.status_code == 200
    assert found(shared) == []  # the query is shared, the pictures are not


def test_an_empty_form_leads_home(page):
    assert page.post("/", {"q": "  "})["Location"] == "/"


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "The file is empty."), (b"<svg/>", "This file is not a picture")]
)
def test_a_bad_query_picture_is_a_400_and_keeps_the_line(page, content, words):
    response = page.post("/", {"q": "a cat", "file": upload(content)})
    assert response.status_code == 400
    assert words in text_of(response)
    assert b'value="a cat"' in response.content


def test_pages_of_results(page, monkeypatch):
    monkeypatch.setattr(views, "RESULTS", 8)
    pages = [found(page.get("/", {"q": "animal", "all": 1, "page": number})) for number in (1, 2, 3)]
    assert [len(names) for names in pages] == [8, 8, 5]
    assert len({name for names in pages for name in names}) == 21
    second = page.get("/", {"q": "animal", "all": 1, "page": 2}).content.decode()
    assert "?q=animal&amp;all=1&amp;page=3" in second
    assert "?q=animal&amp;all=1&amp;page=1" in second


def test_results_take_a_constant_number_of_queries(page, django_assert_num_queries, monkeypatch):
    page.get("/", {"q": "animal"})
    for per_page in (2, 20):
        monkeypatch.setattr(views, "RESULTS", per_page)
        # session, person, serving extractor (to embed, to search), albums, log of changes, tags named,
        # pictures, what they show in words (extractor, tags), albums to fill, the filters' albums and people
        with django_assert_num_queries(14):  # and tags that mean the words
            page.get("/", {"q": "animal", "all": 1})


def test_searching_by_a_gallery_picture(page, photo):
    cat = photo("chelsea")
    response = page.get("/", {"image": cat.pk})
    assert found(response)[0] == "chelsea.png"
    assert f'name="image" value="{cat.pk}" checked'.encode() in response.content


def test_more_and_less_like_this_steer_the_query(page, photo):
    coffee = photo("coffee").pk
    html = page.get("/", {"q": "hot drink", "all": 1}).content.decode()
    assert f'href="/?q=hot+drink&amp;all=1&amp;exclude_image={coffee}"' in html
    steered = page.get("/", {"q": "hot drink", "exclude_image": coffee})
    assert found(steered)[0] != "coffee.png"
    assert f'name="exclude_image" value="{coffee}" checked' in steered.content.decode()
    again = page.post("/", {"q": "hot drink", "exclude_image": coffee})
    assert again["Location"] == f"/?q=hot+drink&exclude_image={coffee}"


def test_what_is_typed_is_shown_as_text(page):
    response = page.get("/", {"q": '"><script>alert(1)</script>'})
    assert b"<script>" not in response.content


@pytest.mark.parametrize(
    "address", ["?q=cat&saved=" + "9" * 5000, "?q=cat&page=" + "9" * 5000, "?q=cat&image=" + "9" * 5000]
)
def test_numbers_of_any_length_are_read_or_refused(page, address):
    assert page.get("/" + address).status_code in (200, 400)


def test_the_page_says_what_answered_and_what_it_cannot(page):
    assert "Answered by Lite." in text_of(page.get("/", {"q": "cat"}))
