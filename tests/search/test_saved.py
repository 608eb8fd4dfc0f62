"""Searches with a name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from search import tasks as housekeeping
from search.models import QueryPicture, SavedSearch
from search.query import query_pictures
from tests.conftest import demo_path, upload
from tests.gallery.test_pages import text_of


def save(page, name="Cats", address="q=a+kitten"):
    return page.post("/searches/", {"name": name, "address": address})


def test_a_search_is_saved_listed_opened_and_forgotten(page, curator, photo):
    response = save(page, address="page=2&q=a+kitten&fusion=best&weight_text=1&all=1")
    search = SavedSearch.objects.get()
    assert (search.owner, search.address) == (curator, "q=a+kitten")
    assert response["Location"] == f"/?q=a+kitten&saved={search.pk}"
    opened = page.get(response["Location"])
    assert "Cats" in text_of(opened)
    assert [r.image.filename for r in opened.context["results"].results] == ["chelsea.png"]
    assert "Cats" in text_of(page.get("/searches/"))
    assert page.get(f"/searches/{search.pk}/")["Location"] == response["Location"]
    assert (
        page.get(f"/searches/{search.pk}/cover")["Location"]
        == f"/images/{photo('chelsea').pk}/thumbnail/small"
    )
    assert page.post(f"/searches/{search.pk}/delete")["Location"] == "/searches/"
    assert not SavedSearch.objects.exists()


def test_opening_asks_anew(page, photo):
    save(page)
    photo("chelsea").delete()
    search = SavedSearch.objects.get()
    assert page.get(page.get(f"/searches/{search.pk}/")["Location"]).context["results"].good == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "name: This field is required"),
        ({"name": "x" * 201}, "name: Ensure this value has at most 200"),
        ({"address": ""}, "address: This field is required"),
        ({"address": "q="}, "This search is empty"),
        ({"address": "image=x"}, "not a number"),
        ({"address": "q=after%3Anever"}, "not a date"),
    ],
)
def test_what_is_wrong_is_said(page, fields, words):
    response = page.post("/searches/", {"name": "Cats", "address": "q=cat"} | fields)
    assert response.status_code == 400
    assert words in text_of(response)
    assert not SavedSearch.objects.exists()


def test_a_name_is_given_once_per_person(page, client, stranger):
    save(page)
    response = save(page)
    assert response.status_code == 400
    assert "already" in text_of(response)
    client.force_login(stranger)
    assert save(client).status_code == 302


def test_nobody_elses_searches_are_seen(page, client, stranger):
    save(page)
    search = SavedSearch.objects.get()
    client.force_login(stranger)
    assert "Cats" not in text_of(client.get("/searches/"))
    assert "Cats" not in text_of(client.get("/", {"q": "dog", "saved": search.pk}))
    assert client.post(f"/searches/{search.pk}/delete").status_code == 404


def test_an_uploaded_picture_is_kept_as_long_as_a_saved_search_needs_it(page, curator):
    key = query_pictures.add(upload(demo_path("coffee").read_bytes(), "mine.png")).key
    save(page, "Coffee", f"picture={key}")
    QueryPicture.objects.update(created_at=timezone.now() - timedelta(days=30))
    housekeeping.remove_expired()
    search = SavedSearch.objects.get()
    opened = page.get(page.get(f"/searches/{search.pk}/")["Location"])
    assert opened.context["results"].results[0].image.filename == "coffee.png"
    search.delete()
    housekeeping.remove_expired()
    assert not QueryPicture.objects.exists()


def test_a_picture_of_another_extractor_is_read_again(page):
    picture = query_pictures.add(upload(demo_path("coffee").read_bytes(), "mine.png"))
    QueryPicture.objects.update(extractor="old/1", vector=b"")
    response = page.get("/", {"picture": picture.key})
    assert response.context["results"].results[0].image.filename == "coffee.png"
    assert QueryPicture.objects.get().extractor == "lite/2"


def test_the_list_takes_a_constant_number_of_queries(page, curator, django_assert_num_queries):
    for count in (2, 30):
        SavedSearch.objects.all().delete()
        SavedSearch.objects.bulk_create(
            [SavedSearch(owner=curator, name=f"s{i}", address="q=cat") for i in range(count)]
        )
        with django_assert_num_queries(4):  # session, person, how many, these
            page.get("/searches/")


def test_query_pictures_are_thrown_away_by_size_too(curator, monkeypatch):
    picture = upload(demo_path("coffee").read_bytes(), "mine.png")
    first = query_pictures.add(picture, curator)
    size = len(bytes(first.thumbnail))
    monkeypatch.setattr(query_pictures, "MOST_BYTES", 3 * size)
    later = [query_pictures.add(picture, curator).pk for _ in range(4)]
    assert list(QueryPicture.objects.order_by("pk").values_list("pk", flat=True)) == later[1:]
    monkeypatch.setattr(query_pictures, "MOST_BYTES", 1)
    newest = query_pictures.add(picture, curator)  # it was asked for: that one stays
    assert [own.pk for own in QueryPicture.objects.all()] == [newest.pk]
