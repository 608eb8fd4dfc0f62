"""Searching by a part of a picture."""

import io

import pytest
from django.http import QueryDict
from PIL import Image as Pillow

from search import engine
from search.models import QueryPicture
from search.query import query_pictures
from search.query.address import from_address
from tests.conftest import demo_path, upload

BOX = {"left": "20", "top": "10", "right": "90", "bottom": "80.5"}


def test_the_part_takes_the_pictures_place_in_the_query(page, curator, photo):
    coffee = photo("coffee").pk
    answer = page.post("/region/", {"q": "cup", "image": coffee, "of": coffee, **BOX})
    address = answer["Location"].partition("?")[2]
    assert "image=" not in address
    [part] = QueryPicture.objects.all()
    assert f"q=cup&picture={part.key}" == address
    results = engine.search(from_address(QueryDict(address)), curator, limit=3).results
    assert "coffee.png" in [result.image.filename for result in results]


def test_a_part_of_an_uploaded_picture_and_a_part_of_that(page):
    key = query_pictures.add(upload(demo_path("flower").read_bytes())).key
    for _ in range(2):
        answer = page.post("/region/", {"picture": key, "of": key, **BOX})
        key = answer["Location"].rpartition("=")[2]
    assert QueryPicture.objects.count() == 3


def test_the_part_is_what_was_drawn(page, photo):
    page.post("/region/", {"image": photo("coffee").pk, "of": photo("coffee").pk, **BOX})
    part = Pillow.open(io.BytesIO(QueryPicture.objects.get().thumbnail))
    assert part.size == (420, 282)  # of 600 x 400


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "must be numbers"),
        (BOX | {"left": "x"}, "must be numbers"),
        (BOX | {"left": "nan"}, "from 0 to 100"),
        (BOX | {"left": "-1"}, "from 0 to 100"),
        (BOX | {"bottom": "101"}, "from 0 to 100"),
        (BOX | {"right": "20.5"}, "too small"),
        (BOX | {"top": "90"}, "too small"),
        (BOX | {"of": "x"}, "not a number"),
    ],
)
def test_wrong_sides_are_refused_in_a_sentence(page, photo, fields, words):
    answer = page.post("/region/", {"image": photo("coffee").pk, "of": photo("coffee").pk, **fields})
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_of_pictures_that_one_sees_alone(client, stranger, photo):
    client.force_login(stranger)
    coffee = photo("coffee").pk
    assert client.post("/region/", {"image": coffee, "of": coffee, **BOX}).status_code == 404
    assert client.get(f"/region/?of={coffee}").status_code == 404
