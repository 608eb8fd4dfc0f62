"""What people say of pictures: captions, and hearts."""

import pytest

from gallery import favourites
from gallery.models import Album, AlbumImage, AlbumMember, Favourite, Image
from tests.conftest import wrong_fields


@pytest.fixture
def shared(curator, stranger, photo):
    """The stranger is a member of an album with the coffee; give a role."""

    def give(role):
        album = Album.objects.create(owner=curator, title="Shared")
        AlbumImage.objects.create(album=album, image=photo("coffee"))
        AlbumMember.objects.create(album=album, user=stranger, role=role)
        return photo("coffee")

    return give


def test_owner_writes_a_caption_on_the_page(page, photo):
    coffee = photo("coffee")
    answer = page.post(f"/images/{coffee.pk}/caption", {"caption": "  Breakfast in Porto <b>  "})
    assert answer["Location"] == coffee.get_absolute_url()
    coffee.refresh_from_db()
    assert coffee.caption == "Breakfast in Porto <b>"
    html = page.get(coffee.get_absolute_url()).content.decode()
    assert "Breakfast in Porto &lt;b&gt;</textarea>" in html
    page.post(f"/images/{coffee.pk}/caption", {"caption": ""})
    coffee.refresh_from_db()
    assert coffee.caption == ""
    assert page.post(f"/images/{coffee.pk}/caption", {"caption": "x" * 2001}).status_code == 400


@pytest.mark.parametrize(("role", "status"), [("viewer", 404), ("contributor", 404), ("editor", 302)])
def test_editors_write_captions_and_others_read_them(client, stranger, shared, role, status):
    coffee = shared(role)
    Image.objects.filter(pk=coffee.pk).update(caption="Breakfast")
    client.force_login(stranger)
    assert "Breakfast" in client.get(coffee.get_absolute_url()).content.decode()
    assert client.post(f"/images/{coffee.pk}/caption", {"caption": "Lunch"}).status_code == status
    coffee.refresh_from_db()
    assert coffee.caption == ("Lunch" if status == 302 else "Breakfast")


def test_the_api_changes_captions_and_nothing_else(api, photo):
    address = f"/api/v1/images/{photo('coffee').pk}/"
    answer = api.patch(address, {"caption": "Lunch"}, format="json")
    assert (answer.status_code, answer.json()["caption"]) == (200, "Lunch")
    assert api.get(address).json()["caption"] == "Lunch"
    refused = api.patch(address, {"filename": "x", "caption": "y"}, format="json")
    assert (refused.status_code, wrong_fields(refused)) == (400, ["filename"])
    assert wrong_fields(api.patch(address, {"caption": "x" * 2001}, format="json")) == ["caption"]
    assert api.patch("/api/v1/images/999999/", {"caption": "x"}, format="json").status_code == 404
    assert api.get(address).json()["caption"] == "Lunch"


def test_hearts_on_the_page_and_in_the_api(page, api, curator, photo):
    coffee = photo("coffee")
    for _ in range(2):
        page.post(f"/images/{coffee.pk}/favourite", {"action": "add"})
    assert Favourite.objects.filter(user=curator, image=coffee).count() == 1
    assert 'aria-pressed="true"' in page.get(coffee.get_absolute_url()).content.decode()
    assert api.get(f"/api/v1/images/{coffee.pk}/").json()["is_favourite"]
    assert api.delete(f"/api/v1/images/{coffee.pk}/favourite/").status_code == 204
    assert not api.get(f"/api/v1/images/{coffee.pk}/").json()["is_favourite"]
    assert api.put(f"/api/v1/images/{coffee.pk}/favourite/").status_code == 204
    page.post(f"/images/{coffee.pk}/favourite", {"action": "remove"})
    assert not Favourite.objects.exists()
    assert page.post(f"/images/{coffee.pk}/favourite", {"action": "hug"}).status_code == 400


def test_a_heart_is_for_pictures_that_one_sees_and_ones_own_business(
    api, client, curator, stranger, photo, shared
):
    coffee = shared("viewer")
    favourites.add(curator, coffee)
    client.force_login(stranger)
    assert 'aria-pressed="false"' in client.get(coffee.get_absolute_url()).content.decode()
    assert client.post(f"/images/{photo('chelsea').pk}/favourite", {"action": "add"}).status_code == 404
