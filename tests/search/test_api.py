"""POST /api/v1/search/: every way of asking, right and wrong."""

import json

import pytest

from tests.conftest import demo_path, upload, wrong_fields

SEARCH = "/api/v1/search/"


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [result["image"]["filename"].split(".")[0] for result in answer.json()["results"]]


def test_text_tags_and_a_mix_as_json(api):
    assert names(api.post(SEARCH, {"text": "a kitten"}, format="json"))[0] == "chelsea"
    assert names(api.post(SEARCH, {"tags": ["Espresso"]}, format="json")) == ["coffee"]
    answer = api.post(SEARCH, {"text": "drink", "tags": "espresso, cup", "limit": 1}, format="json")
    assert names(answer) == ["coffee"]
    body = answer.json()
    assert (body["count"], body["unknown_tags"]) == (21, ["cup"])
    [result] = body["results"]
    assert result["parts"]["matched_tags"] == ["espresso"]
    total = sum(result["parts"][part] for part in ("image", "text", "tags"))
    assert total == pytest.approx(result["score"], abs=1e-5)
    assert result["parts"]["tags"] == 0.25  # one of two tags, and tags are half of the score


def test_files_come_as_multipart(api):
    picture = upload(demo_path("rocket").read_bytes(), "r.jpg")
    assert names(api.post(SEARCH, {"image": picture, "tags": "missile"}))[0] == "rocket"
    pictures = [upload(demo_path(name).read_bytes()) for name in ("rocket", "coffee")]
    assert set(names(api.post(SEARCH, {"image": pictures}))[:2]) == {"rocket", "coffee"}
    line = {"image": upload(demo_path("rocket").read_bytes(), "r.jpg"), "q": "#missile"}
    assert names(api.post(SEARCH, line))[0] == "rocket"
    both = line | {"image": upload(demo_path("rocket").read_bytes(), "r.jpg"), "favourite": "false"}
    assert wrong_fields(api.post(SEARCH, both)) == ["favourite"]


def test_a_gallery_picture_and_exclusions(api, photo):
    answer = api.post(SEARCH, {"image_id": photo("coffee").pk, "exclude_tags": ["espresso"]}, format="json")
    assert "coffee" not in names(answer)


def test_a_part_of_a_picture(api, photo):
    """Of the coffee the table alone: something else is found than by the whole picture."""
    part = {"image_id": photo("coffee").pk, "left": 0, "top": 0, "right": 100, "bottom": 100}
    assert names(api.post(SEARCH, {"part": part}, format="json"))[0] == "coffee"
    whole = api.post(SEARCH, {"part": part}, format="json").json()["results"][1]["score"]
    corner = part | {"right": 20, "bottom": 20}
    assert api.post(SEARCH, {"part": corner}, format="json").json()["results"][1]["score"] != whole
    assert names(api.post(SEARCH, {"part": json.dumps(part)}))[0] == "coffee"  # in a form
    for wrong in (
        part | {"right": 0}, part | {"top": 101}, part | {"left": "x"}, part | {"image_id": 10**9},
        {"image_id": 1},
        part | {"image_id": 1.5}, part | {"more": 1}, [1], "x", None, part | {"left": float("1e308")},
    ):  # fmt: skip
        answer = api.post(SEARCH, {"part": wrong}, format="json")
        assert (answer.status_code, wrong_fields(answer)) == (400, ["part"]), wrong


def test_everything_else_that_can_be_asked(api, photo):
    query = {
        "text": "animal",
        "exclude_text": "plant",
        "exclude_image_id": [photo("flower").pk],
        "weights": {"text": 2},
        "fusion": "calibrated",
    }
    assert names(api.post(SEARCH, query, format="json"))[0] == "chelsea"
    form = query | {"weights": '{"text": 2, "tags": 0.5}'}
    assert names(api.post(SEARCH, form))[0] == "chelsea"


def test_pages(api):
    whole = names(api.post(SEARCH, {"text": "animal"}, format="json"))
    assert names(api.post(SEARCH, {"text": "animal", "limit": 4, "offset": 3}, format="json")) == whole[3:7]
    assert names(api.post(SEARCH, {"text": "animal", "offset": 1000}, format="json")) == []


def test_asking_nothing_lists_everything_newest_first(api):
    ids = [result["image"]["id"] for result in api.post(SEARCH, {}, format="json").json()["results"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 21


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "x" * 1001),
        ("text", {"a": 1}),
        ("tags", 5),
        ("tags", ["#"]),
        ("tags", [["a"]]),
        ("tags", [f"t{i}" for i in range(51)]),
        ("tags", "x" * 101),
        ("exclude_tags", [None]),
        ("image_id", "abc"),
        ("image_id", -1),
        ("image_id", 10**30),
        ("image_id", 123456),
        ("image", "not a file"),
        ("album", 77),
        ("album", "x"),
        ("limit", 0),
        ("limit", 501),
        ("offset", -1),
        ("offset", 10**9),
        ("weigths", {}),
        ("weights", {"image": -1}),
        ("weights", {"image": "much"}),
        ("weights", {"colour": 1}),
        ("weights", [1, 2, 3]),
        ("weights", {"text": 0}),
        ("weights", {"text": 1e300}),
        ("fusion", "worst"),
        ("exclude_text", "x" * 1001),
        ("exclude_image_id", 123456),
    ],
)
def test_what_is_wrong_is_named(api, field, value):
    answer = api.post(SEARCH, {"text": "cat", field: value}, format="json")
    assert answer.status_code == 400
    assert wrong_fields(answer) == [field]


@pytest.mark.parametrize("content", [b"", b"<svg/>"])
def test_a_bad_picture_is_named(api, content):
    answer = api.post(SEARCH, {"image": upload(content)})
    assert (answer.status_code, wrong_fields(answer)) == (400, ["image"])


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'"x"', b"\xff", b"[" * 5000])
def test_bodies_that_are_no_object(api, body):
    assert api.post(SEARCH, body, content_type="application/json").status_code == 400


def test_a_body_too_large_to_be_a_query_is_not_read(api):
    answer = api.post(SEARCH, b'{"text": "' + b"x" * 3_000_000 + b'"}', content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("This form has too many")


def test_other_methods_and_types_are_refused(api):
    assert api.get(SEARCH).status_code == 405
    assert api.post(SEARCH, b"<x/>", content_type="application/xml").status_code == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"phrases": {"\u200b": 1}}, 200),
        ({"album": "\ud800"}, 400),
        ({"\ud800": 1}, 400),
        ({"phrases": {"\ud800": 1}}, 400),
        ({"text": "\ud800"}, 400),
        ({"tags": ["\ud800"]}, 400),
        ({"owner": "\ud800"}, 400),
    ],
)
def test_what_cannot_be_seen_or_is_no_text(api, body, status):
    answer = api.post("/api/v1/search/", json.dumps(body), content_type="application/json")
    assert answer.status_code == status


def test_names_longer_than_a_book_are_a_400(api):
    answer = api.post(SEARCH, {"tags": "x" * 200_000}, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, ["tags"])
