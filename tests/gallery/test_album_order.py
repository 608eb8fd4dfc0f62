"""An album's order, by hand and by date, and its cover."""

from datetime import UTC, datetime

import pytest

from gallery import access, album_order
from gallery.models import Album, AlbumImage, Image, ShareLink

pytestmark = pytest.mark.many


@pytest.fixture
def album(curator):
    album = Album.objects.create(owner=curator, title="Ordered")
    for image in curator.images.order_by("pk")[:5]:
        AlbumImage.objects.create(album=album, image=image)
    return album


def order(album: Album) -> list[int]:
    """The places that its pictures had when they were added, in the order of today."""
    album.refresh_from_db()
    links = list(album.album_images.order_by("pk").values_list("pk", flat=True))
    return [
        links.index(pk) for pk in album.album_images.order_by(*album.order_of()).values_list("pk", flat=True)
    ]


def images(album: Album, *places: int) -> list[int]:
    links = list(album.album_images.order_by("pk").values_list("image_id", flat=True))
    return [links[place] for place in places]


def test_latest_first_until_it_is_said_otherwise(album):
    assert order(album) == [4, 3, 2, 1, 0]


def test_by_date(album):
    for place, year in enumerate((2003, 2001, None, 2004, 2002)):
        taken = year and datetime(year, 1, 1, tzinfo=UTC)
        Image.objects.filter(pk=images(album, place)[0]).update(taken_local=taken)
    album.order = Album.Order.DATE
    album.save()
    assert order(album) == [1, 4, 0, 3, 2]  # without a date: when it came here


@pytest.mark.parametrize(
    ("moved", "where", "expected"),
    [
        ([0], "first", [0, 4, 3, 2, 1]),
        ([4], "last", [3, 2, 1, 0, 4]),
        ([2], "earlier", [4, 2, 3, 1, 0]),
        ([2], "later", [4, 3, 1, 2, 0]),
        ([4], "earlier", [4, 3, 2, 1, 0]),
        ([0], "later", [4, 3, 2, 1, 0]),
        ([0, 2], "first", [2, 0, 4, 3, 1]),
        ([4, 3], 0, [2, 1, 4, 3, 0]),
        ([0], 4, [0, 4, 3, 2, 1]),
    ],
)
def test_by_hand(album, moved, where, expected):
    where = images(album, where)[0] if isinstance(where, int) else where
    album_order.place(album, images(album, *moved), where)
    assert order(album) == expected


def test_a_share_link_has_the_albums_order(album):
    album_order.place(album, images(album, 0), "first")
    names = [Image.objects.get(pk=pk).filename for pk in images(album, 0, 4, 3, 2, 1)]
    album.refresh_from_db()
    assert [
        image.filename for image in access.linked_images(ShareLink(owner=album.owner, album=album))
    ] == names


def test_what_is_added_later_comes_last(album, curator):
    album_order.place(album, images(album, 0), "first")
    AlbumImage.objects.create(album=album, image=curator.images.order_by("-pk").first())
    assert order(album) == [0, 4, 3, 2, 1, 5]


def test_by_page_and_by_api(page, api, album):
    first = images(album, 0)[0]
    assert page.post(f"/albums/{album.pk}/arrange", {"image": first, "place": "first"}).status_code == 302
    assert order(album) == [0, 4, 3, 2, 1]
    shown = page.get(f"/albums/{album.pk}/?arrange").content.decode()
    assert shown.index(f"/images/{first}/") < shown.index(f"/images/{images(album, 4)[0]}/")
    body = {"image_ids": images(album, 1), "before": first}
    assert api.post(f"/api/v1/albums/{album.pk}/arrange/", body, format="json").status_code == 204
    assert order(album) == [1, 0, 4, 3, 2]
    listed = api.get(f"/api/v1/albums/{album.pk}/images/").json()["results"]
    assert [image["id"] for image in listed] == images(album, 1, 0, 4, 3, 2)


@pytest.mark.parametrize(
    ("image", "place"),
    [("", "first"), ("x", "first"), ("{own}", ""), ("{own}", "nowhere"), ("999999", "first")],
)
def test_wrong_places_are_refused(page, album, image, place):
    fields = {"image": image.format(own=images(album, 0)[0]), "place": place}
    assert page.post(f"/albums/{album.pk}/arrange", fields).status_code == 400
    assert order(album) == [4, 3, 2, 1, 0]


def test_the_chosen_cover_is_shown_while_it_is_in_the_album(page, api, album, photo):
    def cover() -> str:
        return page.get("/albums/").content.decode().split("/thumbnail/small")[0].rpartition("/")[2]

    assert cover() == str(images(album, 4)[0])
    page.post(f"/albums/{album.pk}/cover", {"image": images(album, 1)[0]})
    assert cover() == str(images(album, 1)[0])
    AlbumImage.objects.filter(album=album, image=images(album, 1)[0]).delete()
    assert cover() == str(images(album, 3)[0])
    outside = Image.objects.order_by("-pk").first()
    assert page.post(f"/albums/{album.pk}/cover", {"image": outside.pk}).status_code == 404
    answer = api.patch(f"/api/v1/albums/{album.pk}/", {"cover": outside.pk}, format="json")
    assert answer.status_code == 400
    assert (
        api.patch(f"/api/v1/albums/{album.pk}/", {"cover": images(album, 0)[0]}, format="json").status_code
        == 200
    )
