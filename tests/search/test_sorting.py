"""Results and lists in other orders, filters from the form, and windows of several pages."""

import itertools
import re
from datetime import UTC, datetime

import pytest

from gallery.models import Album, AlbumImage, Image
from search.query import bar
from search.views import home as views
from tests.gallery.test_pages import text_of
from tests.search.test_pages import found


def expected(order: str) -> list[str]:
    images = list(Image.objects.all())
    keys = {
        "newest": lambda own: (-int(own.shown_at.timestamp()), -own.pk),
        "oldest": lambda own: (int(own.shown_at.timestamp()), -own.pk),
        "added": lambda own: (-int(own.created_at.timestamp()), -own.pk),
        "size": lambda own: (-max(own.width, own.height), -own.pk),
        "name": lambda own: own.filename,
    }
    return [own.filename for own in sorted(images, key=keys[order])]


@pytest.mark.parametrize("order", ["newest", "oldest", "added", "size", "name"])
def test_results_are_sorted_and_paged(page, photo, order, monkeypatch):
    monkeypatch.setattr(views, "RESULTS", 8)
    Image.objects.filter(pk=photo("coffee").pk).update(taken_local=datetime(2031, 5, 3, tzinfo=UTC))
    Image.objects.filter(pk=photo("rocket").pk).update(taken_local=datetime(1950, 5, 4, tzinfo=UTC))
    pages = [
        found(page.get("/", {"q": "animal", "all": 1, "sort": order, "page": number})) for number in (1, 2, 3)
    ]
    assert [*itertools.chain(*pages)] == expected(order)
    whole = page.get("/", {"q": "animal", "all": 1, "sort": order, "page": 3, "from": 1})
    assert found(whole) == expected(order)


def test_only_the_good_matches_are_sorted(page):
    best = found(page.get("/", {"q": "cat"}))
    assert sorted(found(page.get("/", {"q": "cat", "sort": "name"}))) == sorted(best)


def test_a_wrong_order_is_a_400(page, api):
    assert page.get("/", {"q": "cat", "sort": "x"}).status_code == 400
    assert page.get("/images/?order=x").status_code == page.get("/images/?whose=x").status_code == 400
    assert page.get("/tags/?order=x").status_code == 400


def test_the_form_keeps_the_order_and_the_saved_search(page):
    answer = page.post("/", {"q": "cat", "sort": "newest", "saved": "7"})
    assert answer["Location"] == "/?q=cat&sort=newest&saved=7"


@pytest.mark.parametrize(
    ("line", "wanted", "result"),
    [
        ("cat", {"after": "2024-05-17"}, "cat after:2024-05-17"),
        ("cat after:2020 #sea", {"after": "2024"}, "cat #sea after:2024"),
        ('"red boat" -dog', {"album": "My trip"}, '"red boat" -dog album:"My trip"'),
        ("is:mine", {"favourite": "favourite"}, "is:mine is:favourite"),
        ("is:favourite x", {"favourite": "favourite"}, "x is:favourite"),
        ("  a  b ", {"color": ""}, "a b"),
        ("a color:red b", {"color": ""}, "a b"),
        ("is:mine is:favourite a", {"favourite": ""}, "is:mine a"),
    ],
)
def test_filters_join_the_line(line, wanted, result):
    assert bar.with_filters(line, wanted) == result


def test_fields_beside_the_bar_become_filters(page, curator, photo):
    album = Album.objects.create(owner=curator, title="My trip")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    answer = page.post("/", {"q": "cup", "filter-album": "My trip", "filter-untagged": "on"})
    assert answer["Location"] == "/?q=cup+album%3A%22My+trip%22+is%3Auntagged"
    answer = page.post("/", {"q": "", "filter-album": "My trip"})
    assert found(page.get(answer["Location"])) == ["coffee.png"]
    wrong = page.post("/", {"q": "cup", "filter-after": "yesterday"})
    assert wrong.status_code == 400
    assert "Taken from: Enter a valid date." in text_of(wrong)
    assert 'value="cup"' in wrong.content.decode()


def test_a_query_that_cannot_be_read_stays_in_the_address(page):
    answer = page.post("/", {"q": "cat bogus:1", "image": "3"})
    assert answer["Location"] == "/?q=cat+bogus%3A1&image=3"
    shown = page.get(answer["Location"])
    assert shown.status_code == 400
    assert 'value="cat bogus:1"' in shown.content.decode()


def names(response) -> list[int]:
    grid = response.content.decode().partition('id="grid"')[2]
    return [int(pk) for pk in re.findall(r'class="tile" id="i(\d+)"', grid)]


def test_browse_in_every_order(page):
    newest = names(page.get("/images/"))
    assert len(newest) == 21
    assert names(page.get("/images/?order=oldest")) == newest[::-1]
    assert names(page.get("/images/?order=added-oldest")) == names(page.get("/images/?order=added"))[::-1]


def test_browse_tells_mine_and_shared(client, curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    album.members.add(stranger)
    client.force_login(stranger)
    assert names(client.get("/images/?whose=shared")) == [photo("coffee").pk]
    assert names(client.get("/images/?whose=mine")) == []


def test_a_window_of_pages_is_bounded(page, monkeypatch):
    from gallery.views import paging

    monkeypatch.setattr(views, "RESULTS", 2)
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 3)
    whole = page.get("/", {"q": "animal", "all": 1, "page": 8, "from": 1})
    assert len(found(whole)) == 6
    assert "&amp;page=5" in whole.content.decode()  # those before are behind a link


def test_tags_are_found_renamed_merged_and_removed(page, curator, photo):
    shown = text_of(page.get("/tags/?find=ESPR"))
    assert "#espresso 1" in shown and "#cat" not in shown
    kinds_first = text_of(page.get("/tags/"))
    assert kinds_first.index("#drink") < kinds_first.index("#espresso")
    by_name = re.findall(r"#(\w+)", text_of(page.get("/tags/?order=name")))
    assert by_name == sorted(by_name)
    page.post("/tags/change", {"tag": "espresso", "instead": "Morning", "action": "rename"})
    assert "#espresso" not in text_of(page.get("/tags/"))
    assert "#morning 1" in text_of(page.get("/tags/"))
    page.post("/tags/change", {"tag": "morning", "instead": "drink", "action": "rename"})
    assert photo("coffee").image_tags.filter(tag__name="drink", source="person").exists()
    page.post("/tags/change", {"tag": "drink", "action": "remove"})
    assert "#drink" not in text_of(page.get("/tags/"))
    assert "None of your own" in text_of(
        page.post("/tags/change", {"tag": "x", "action": "remove"}, follow=True)
    )
    assert page.post("/tags/change", {"tag": "", "action": "remove"}).status_code == 400
    assert page.post("/tags/change", {"tag": "x", "action": "burn"}).status_code == 400


def test_other_peoples_pictures_keep_their_tags(client, curator, stranger, photo):
    client.force_login(stranger)
    client.post("/tags/change", {"tag": "espresso", "action": "remove"})
    assert photo("coffee").image_tags.filter(tag__name="espresso", source="extractor").exists()
