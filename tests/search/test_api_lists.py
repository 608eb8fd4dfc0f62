"""Saved searches, look-alikes, the timeline and the bar's line by API."""

from datetime import UTC, datetime

import pytest

from gallery.models import Image
from search.models import KeptPair, LookAlikes
from tests.conftest import wrong_fields
from tests.gallery.api.test_people import client_of


def test_searches_are_saved_run_and_changed(api, stranger):
    made = api.post("/api/v1/saved-searches/", {"name": "Cats", "q": "cat #tabby"})
    assert made.status_code == 201, made.json()
    one = f"/api/v1/saved-searches/{made.json()['id']}/"
    assert api.get(one).json()["q"] == "cat #tabby"
    found = api.get(f"{one}results/?limit=1").json()
    assert len(found["results"]) == 1
    assert api.patch(one, {"q": "rocket"}).json()["q"] == "rocket"
    best = api.get(f"{one}results/").json()["results"][0]["image"]["filename"]
    assert (
        best
        == api.post("/api/v1/search/", {"q": "rocket"}, format="json").json()["results"][0]["image"][
            "filename"
        ]
    )
    assert client_of(stranger).get(f"{one}results/").status_code == 404
    assert api.delete(one).status_code == 204
    assert api.get("/api/v1/saved-searches/").json()["count"] == 0


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "x"}, "q"),
        ({"name": "x", "q": "a", "address": "q=a"}, "q"),
        ({"name": "x", "q": "after:tomorrowish"}, "q"),
        ({"name": "x", "address": "image=x"}, "address"),
        ({"name": "", "q": "cat"}, "name"),
        ({"name": "x", "q": "cat", "colour": "red"}, "colour"),
    ],
)
def test_wrong_saved_searches_name_the_field(api, said, field):
    answer = api.post("/api/v1/saved-searches/", said)
    assert (answer.status_code, wrong_fields(answer)) == (400, [field])


def test_the_bars_line_is_a_search(api):
    line = api.post("/api/v1/search/", {"q": "cat -dog #tabby"}, format="json").json()
    parts = {"text": "cat", "exclude_words": ["dog"], "tags": ["tabby"]}
    apart = api.post("/api/v1/search/", parts, format="json").json()
    for answer in (line, apart):
        del answer["took_ms"]
    assert line == apart
    both = api.post("/api/v1/search/", {"q": "cat", "text": "dog"}, format="json")
    assert (both.status_code, wrong_fields(both)) == (400, ["text"])
    wrong = api.post("/api/v1/search/", {"q": "after:tomorrowish"}, format="json")
    assert wrong.status_code == 400


def test_the_timeline_by_month(api, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(taken_local=datetime(1950, 5, 3, tzinfo=UTC))
    said = api.get("/api/v1/timeline/?limit=3").json()
    assert said["count"] == sum(month["count"] for month in said["months"])
    assert said["months"][-1] == {"month": "1950-05", "count": 1}
    month = api.get("/api/v1/timeline/?month=1950-05").json()
    assert [own["filename"] for own in month["results"]] == ["coffee.png"]
    assert api.get("/api/v1/timeline/?month=1950-06").json()["results"] == []
    oldest = api.get("/api/v1/timeline/?order=oldest&limit=1").json()
    assert oldest["results"][0]["filename"] == "coffee.png"
    assert api.get("/api/v1/timeline/?offset=99999").json()["results"] == []
    for wrong in ("month=1950", "order=x", "whose=x", "limit=0", "page=2"):
        answer = api.get(f"/api/v1/timeline/?{wrong}")
        assert wrong_fields(answer) == [wrong.split("=")[0]], wrong


def test_look_alikes_by_api(api, curator, photo):
    first, second = sorted([photo("coffee").pk, photo("rocket").pk])
    LookAlikes.objects.create(first_id=first, second_id=second)
    groups = api.get("/api/v1/duplicates/").json()
    assert groups["count"] == 1
    group = groups["results"][0]["image_ids"]
    assert set(group) == {photo("coffee").pk, photo("rocket").pk}
    wrong = {"group": group, "keep": [photo("chelsea").pk]}
    assert api.post("/api/v1/duplicates/", wrong, format="json").status_code == 400
    kept = api.post("/api/v1/duplicates/", {"group": group, "keep": group}, format="json").json()
    assert kept == {"trashed": []}
    assert KeptPair.objects.count() == 1
    one = api.post("/api/v1/duplicates/", {"group": group, "keep": group[:1]}, format="json").json()
    assert one == {"trashed": group[1:]}
    assert Image.objects.get(pk=group[1]).trashed_at
