"""The API's list by number: the same pictures as going through all of them, piece by piece."""

import pytest
from django.contrib.auth.models import User

from gallery import access, trash
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import listing

pytestmark = [pytest.mark.django_db, pytest.mark.many]


@pytest.fixture
def member(curator, photo) -> User:
    """Somebody who sees a few pictures in two albums that share one, and some of their own."""
    person = User.objects.create_user("member")
    pictures = list(Image.objects.order_by("pk"))
    for title, inside in (("One", pictures[3:9]), ("Two", pictures[8:12])):
        album = Album.objects.create(owner=curator, title=title)
        AlbumMember.objects.create(album=album, user=person)
        AlbumImage.objects.bulk_create([AlbumImage(album=album, image=image) for image in inside])
    Image.objects.filter(pk__in=[pictures[0].pk, pictures[15].pk]).update(owner=person)
    trash.move(Image.objects.filter(pk__in=[pictures[4].pk, pictures[11].pk]))
    return person


@pytest.mark.parametrize("most_albums", [0, 200])
@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("most", [1, 3, 50])
def test_pieces_by_number_are_what_is_visible(member, monkeypatch, most_albums, oldest_first, most):
    monkeypatch.setattr(listing, "MOST_ALBUMS", most_albums)
    allowed = access.scope(member)
    wanted = list(
        access.visible_images(member).order_by("pk" if oldest_first else "-pk").values_list("pk", flat=True)
    )
    assert len(wanted) == 9
    found: list[int] = []
    while piece := listing.by_number(allowed, oldest_first, found[-1] if found else None, most):
        assert len(piece) <= most
        found += piece
    assert found == wanted
