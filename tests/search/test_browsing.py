"""Looking through pictures by date and by tag, and from one picture to the next."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from gallery import tagging
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import browsing, neighbours, timeline
from search.timeline import Timeline, natural
from tests.gallery.test_pages import text_of

moments = st.lists(st.integers(0, 10**12) | st.sampled_from([5, 6]), max_size=60)


@given(moments, st.integers(0, 70), st.integers(0, 20))
def test_any_part_of_it_is_as_if_all_were_sorted(times, start, count):
    ids = np.arange(1, len(times) + 1, dtype=np.int64)
    names = {pk: f"img {pk * 7 % 12}.jpg" for pk in ids.tolist()}
    line = Timeline(ids, np.array(times, np.int64), lambda wanted: {pk: names[pk] for pk in wanted})
    ordered = sorted(ids.tolist(), key=lambda pk: (times[pk - 1], natural(names[pk]), pk), reverse=True)
    assert line[start : start + count] == ordered[start : start + count]
    for place, pk in enumerate(ordered):
        before = ordered[place - 1] if place else None
        after = ordered[place + 1] if place + 1 < len(ordered) else None
        assert line.around(pk) == (before, after)


@given(moments)
def test_months_count_every_picture_by_the_clock_of_its_place(times):
    months = Timeline(np.arange(len(times), dtype=np.int64), np.array(times, np.int64)).months()
    expected: dict[tuple[int, int], int] = {}
    for time in sorted(times, reverse=True):
        at = datetime.fromtimestamp(time // 1000, UTC)
        expected[at.year, at.month] = expected.get((at.year, at.month), 0) + 1
    assert [((month.year, month.number), month.count) for month in months] == list(expected.items())


def test_browse_shows_pictures_under_their_months(page, curator, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(taken_local=datetime(2019, 5, 3, tzinfo=UTC))
    Image.objects.filter(pk=photo("rocket").pk).update(taken_local=datetime(2019, 5, 4, tzinfo=UTC))
    html = page.get("/images/").content.decode()
    assert 'id="m2019-05"' in html
    assert re.search(r'<a\s+href="\?page=1#m2019-05"', html)
    assert html.index(f"/images/{photo('rocket').pk}/") < html.index(f"/images/{photo('coffee').pk}/")
    assert html.index("May 2019") < html.index(f"/images/{photo('rocket').pk}/")


def test_what_is_not_searchable_yet_is_shown_by_itself(page, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(status="failed")
    words = text_of(page.get("/images/"))
    assert "21 pictures, 20 searchable yet" in words
    assert "Not searchable yet" in words


@pytest.mark.parametrize("number", ["0", "x", "99", "-1"])
def test_a_page_that_is_not_there(page, number):
    assert page.get(f"/images/?page={number}").status_code == 400


def test_tags_with_counts_and_covers_of_what_one_sees(page, curator, stranger, photo, client):
    for name in ("coffee", "rocket"):
        tagging.add(photo(name), "things")
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    AlbumMember.objects.create(album=album, user=stranger)
    own = {tag.name: (tag.count, tag.cover) for tag in browsing.tags(curator)}
    assert own["things"] == (2, max(photo("coffee").pk, photo("rocket").pk))
    theirs = {tag.name: (tag.count, tag.cover) for tag in browsing.tags(stranger)}
    assert theirs["things"] == (1, photo("coffee").pk)
    assert "tabby cat" not in theirs
    assert "#things 2" in text_of(page.get("/tags/"))


def names(pages: neighbours.Neighbours) -> list[int | None]:
    return [page and int(page.split("/")[2]) for page in (pages.previous, pages.next)]


def test_neighbours_follow_the_list_that_a_picture_was_opened_from(curator, photo):
    album = Album.objects.create(owner=curator, title="Three")
    for name in ("coffee", "rocket", "chelsea"):
        AlbumImage.objects.create(album=album, image=photo(name))
    in_album = neighbours.around(photo("rocket"), curator, QueryDict(f"in=album&album={album.pk}"))
    assert names(in_album) == [photo("chelsea").pk, photo("coffee").pk]
    assert in_album.back == f"/albums/{album.pk}/#i{photo('rocket').pk}"
    assert (in_album.number, in_album.count) == (2, 3)
    ranked = [f"in=search&q=animal&all=1&at={at}" for at in range(3)]
    first = neighbours.around(photo("coffee"), curator, QueryDict(ranked[0]))
    second = neighbours.around(photo("coffee"), curator, QueryDict(ranked[1]))
    assert names(first)[0] is None
    assert second.previous and second.next
    assert first.back == f"/?q=animal&all=1#i{photo('coffee').pk}"
    assert (first.number, second.number, second.count) == (1, 2, 21)
    by_date = neighbours.around(photo("rocket"), curator, QueryDict())
    assert None not in names(by_date)
    assert by_date.count == 21
    backwards = neighbours.around(photo("rocket"), curator, QueryDict("in=dates&order=oldest"))
    assert names(backwards) == names(by_date)[::-1]
    assert by_date.number + backwards.number == 22
    assert backwards.back == f"/images/?order=oldest#i{photo('rocket').pk}"


@pytest.mark.parametrize(
    "address",
    ["in=search", "in=search&at=x&q=a", "in=search&at=1&q=2:", "in=album&album=999", "in=album", "in=x"],
)
def test_a_list_that_cannot_be_read_is_passed_over(page, photo, address):
    assert page.get(f"/images/{photo('coffee').pk}/?{address}").status_code == 200


def test_neighbours_are_only_pictures_that_one_sees(curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Secret")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    secret = neighbours.around(photo("coffee"), stranger, QueryDict(f"in=album&album={album.pk}"))
    assert names(secret) == [None, None]
    assert secret.back == "/images/"


def test_pages_hold_every_picture_once_however_many_are_of_one_moment(monkeypatch):
    monkeypatch.setattr(timeline, "MOST_TIED", 5)
    times = [1] * 9 + [2] * 4 + [3] * 7
    ids = np.arange(1, 21, dtype=np.int64)
    names = {pk: f"img {pk * 7 % 13}²{pk}③.jpg" for pk in ids.tolist()}
    line = Timeline(ids, np.array(times, np.int64), lambda wanted: {pk: names[pk] for pk in wanted})
    paged = [pk for start in range(0, 20, 3) for pk in line[start : start + 3]]
    assert sorted(paged) == ids.tolist()
    assert paged == line[0:20]
    for place, pk in enumerate(paged):
        neighbours = (paged[place - 1] if place else None, paged[place + 1] if place < 19 else None)
        assert line.around(pk) == neighbours
