"""Every list page takes as many queries for much as for little."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery import tagging
from gallery.models import Album, AlbumImage, AlbumMember, Image, Invitation, ShareLink
from search.models import SavedSearch
from tests.conftest import ON_ONE_MACHINE

pytestmark = pytest.mark.many

PAGES = [
    "/",
    "/?q=%23thing",
    "/images/",
    "/albums/",
    "/albums/{album}/",
    "/tags/",
    "/trash/",
    "/links/",
    "/searches/",
]
PAGES += [
    "/duplicates/",
    "/invitations/",
    "/account/",
    "/images/{image}/",
    "/images/{image}/?in=album&album={album}",
]
PAGES += ["/s/{token}/", "/s/{token}/images/{image}/"]
API = ["/api/v1/images/", "/api/v1/albums/", "/api/v1/albums/{album}/images/", "/api/v1/tags/"]


@pytest.fixture
def shelf(administrator, curator, django_user_model):
    """grow(n) gives the administrator n more of everything; `names` is what addresses are made of."""
    pictures = list(Image.objects.filter(owner=curator).order_by("pk"))
    Image.objects.filter(owner=curator).update(owner=administrator)
    album = Album.objects.create(owner=administrator, title="First")
    link = ShareLink(owner=administrator, album=album, title="First")
    token = link.new_token()
    link.save()
    names = {"album": album.pk, "image": pictures[0].pk, "token": token}

    def grow(count: int) -> None:
        for number in range(count):
            made = Album.objects.count()
            AlbumImage.objects.get_or_create(album=album, image=pictures[number])
            tagging.add(pictures[number], "thing")
            tagging.add(pictures[number], f"thing {made}")
            other = Album.objects.create(owner=administrator, title=f"Album {made}")
            AlbumImage.objects.create(album=other, image=pictures[number])
            person = django_user_model.objects.create_user(f"person {made}")
            AlbumMember.objects.create(album=album, user=person)
            SavedSearch.objects.create(owner=administrator, name=f"Search {made}", address="q=cat")
            for model in (ShareLink, Invitation):
                own = (
                    {"owner": administrator, "title": "x"}
                    if model is ShareLink
                    else {"created_by": administrator}
                )
                row = model(**own)
                row.new_token()
                row.save()
                if model is ShareLink:
                    row.images.set(pictures[: number + 1])

    return grow, names


@pytest.mark.parametrize("address", [*PAGES, *API])
def test_a_constant_number_of_queries(client, administrator, shelf, address):
    grow, names = shelf
    grow(2)
    client.force_login(administrator)
    counts = []
    for _ in range(2):
        client.get(address.format(**names))  # brings the index up to date, counts a view
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address.format(**names)).status_code == 200
        counts.append(len(queries))
        grow(9)
    # Neighbours and pictures like this one come from the database where no process holds an index.
    assert counts[0] == counts[1] < (30 if ON_ONE_MACHINE else 40)
