"""The admin site for pictures, tags and albums."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import ExifTags
from PIL import Image as Pillow

from gallery import access_tokens, extractor_switch, ingest, tagging, tasks
from gallery.models import (
    Album,
    AlbumImage,
    AlbumMember,
    GuestPicture,
    Image,
    ImageTag,
    ShareLink,
    WorkerState,
)
from search.models import SavedSearch
from tests.conftest import drawn, encoded, upload


@pytest.fixture
def admin(client, administrator):
    client.force_login(administrator)
    return client


def test_pictures_are_listed_with_thumbnails_that_the_administrator_is_sent(admin, photo):
    listing = admin.get("/admin/gallery/image/")
    source = f"/images/{photo('coffee').pk}/thumbnail/small"
    assert source.encode() in listing.content
    assert admin.get(source).status_code == 200


def test_the_list_takes_a_constant_number_of_queries(admin, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        admin.get("/admin/gallery/image/")


@pytest.mark.parametrize("model", ["image", "tag", "album"])
def test_lists_and_searches_answer(admin, model):
    assert admin.get(f"/admin/gallery/{model}/").status_code == 200
    assert admin.get(f"/admin/gallery/{model}/?q=cat").status_code == 200
    assert admin.get(f"/admin/gallery/{model}/add/").status_code == 200


def test_one_picture_shows_its_tags_and_can_be_deleted(admin, photo):
    image = photo("coffee")
    response = admin.get(f"/admin/gallery/image/{image.pk}/change/")
    assert b"espresso" in response.content
    for is_there in (True, False):  # into the trash, and from there for good
        assert admin.post(f"/admin/gallery/image/{image.pk}/delete/", {"post": "yes"}).status_code == 302
        assert Image.objects.filter(pk=image.pk).exists() == is_there


def test_failed_pictures_show_the_reason_and_can_be_retried(admin, curator):
    image = ingest.add(curator, upload(encoded(drawn("gold")))).image
    Path(image.original.path).write_bytes(b"rotten")
    while tasks.extract_batch(16):
        pass
    assert b"decoded" in admin.get(f"/admin/gallery/image/{image.pk}/change/").content
    response = admin.post(
        "/admin/gallery/image/", {"action": "retry", "_selected_action": [image.pk]}, follow=True
    )
    assert b"1 picture waits to be read again." in response.content
    image.refresh_from_db()
    assert image.status == Image.Status.PENDING


def test_an_administrator_without_the_permission_is_sent_nothing(client, stranger, photo):
    stranger.is_staff = True
    stranger.save()
    client.force_login(stranger)
    assert client.get(f"/images/{photo('coffee').pk}/thumbnail/small").status_code == 404


def image_of_a_guest(owner):
    return ingest.add(owner, upload(encoded(drawn("olive")), "guest.png"), hidden=True).image


def act(admin, action, *images, **said):
    """What the list of pictures answers to one of its actions."""
    data = {"action": action, "_selected_action": [image.pk for image in images], **said}
    return admin.post("/admin/gallery/image/", data, follow=True)


def test_deleting_goes_through_the_trash(admin, photo):
    image, other = photo("coffee"), photo("rocket")
    page = admin.get(f"/admin/gallery/image/{image.pk}/delete/").content.decode()
    assert "into the trash" in page
    act(admin, "delete_selected", image, other, post="yes")
    assert Image.objects.filter(trashed_at__isnull=False).count() == 2
    assert act(admin, "delete_selected", image, post="yes").status_code == 200
    assert list(Image.objects.filter(pk__in=[image.pk, other.pk])) == [other]
    act(admin, "restore", other)
    other.refresh_from_db()
    assert other.trashed_at is None
    GuestPicture.objects.create(image=image_of_a_guest(other.owner))
    waiting = GuestPicture.objects.get().image
    act(admin, "restore", waiting)
    waiting.refresh_from_db()
    assert waiting.trashed_at is not None  # its owner says yes or no
    act(admin, "move_to_trash", other)
    listed = admin.get("/admin/gallery/image/?trash=yes").content.decode()
    assert (other.filename in listed, photo("chelsea").filename in listed) == (True, False)


def test_pictures_are_found_by_name_hash_and_tag(admin, photo, django_assert_max_num_queries):
    image = photo("coffee")
    tagging.add(photo("rocket"), "espresso machine")

    def found(words):
        with django_assert_max_num_queries(14):
            answer = admin.get("/admin/gallery/image/", {"q": words})
        return {own.pk for own in answer.context["cl"].queryset}

    assert found("offee.pn") == {image.pk}
    assert found(image.sha256[:10]) == {image.pk}
    assert found("Espresso Machine") == {photo("rocket").pk}
    assert found("espresso") >= {image.pk}
    assert found("nothing is called so") == set()
    assert found("x" * 300) == set()
    key = extractor_switch.current().key
    answer = admin.get("/admin/gallery/image/", {"extractor": key})
    assert answer.context["cl"].queryset.count() == Image.objects.count()


def test_many_are_tagged_gathered_given_and_fetched(admin, administrator, curator, stranger, photo):
    images = photo("coffee"), photo("rocket")
    assert 'name="tag"' in act(admin, "tag", *images).content.decode()
    act(admin, "tag", *images, tag="Breakfast ", apply="1")
    assert ImageTag.objects.filter(tag__name="breakfast", image__in=images).count() == 2
    act(admin, "untag", images[0], tag="breakfast", apply="1")
    assert ImageTag.objects.get(tag__name="breakfast", image=images[0]).source == "removed"
    mine, foreign = (
        Album.objects.create(owner=curator, title="A"),
        Album.objects.create(owner=stranger, title="B"),
    )
    assert "autocomplete" in act(admin, "add_to_album", *images).content.decode()
    act(admin, "add_to_album", *images, album=mine.pk, apply="1")
    assert mine.album_images.count() == 2
    said = act(admin, "add_to_album", *images, album=foreign.pk, apply="1").content.decode()
    assert "2 were left out" in said
    assert foreign.album_images.count() == 0
    zipped = act(admin, "download", *images)
    assert b"".join(zipped.streaming_content)[:2] == b"PK"
    act(admin, "read_again", *images)
    same = ingest.add(stranger, upload(Path(images[0].original.path).read_bytes())).image
    said = act(admin, "change_owner", *images, owner=stranger.pk, apply="1").content.decode()
    assert "1 stay" in said
    owners = set(
        Image.objects.filter(pk__in=[*(image.pk for image in images), same.pk]).values_list("pk", "owner")
    )
    assert owners == {(images[0].pk, curator.pk), (images[1].pk, stranger.pk), (same.pk, stranger.pk)}
    assert b"This field is required" in act(admin, "change_owner", *images, apply="1").content


def test_many_files_at_once_for_anybody(admin, curator, stranger):
    album = Album.objects.create(owner=curator, title="New ones")
    files = [upload(encoded(drawn(color)), f"{color}.png") for color in ("gold", "teal", "plum")]
    admin.post("/admin/gallery/image/add/", {"owner": curator.pk, "file": files, "album": album.pk})
    assert album.album_images.count() == 3
    files = [upload(encoded(drawn("navy")), "navy.png"), upload(b"no picture", "text.png")]
    said = admin.post("/admin/gallery/image/add/", {"owner": curator.pk, "file": files}).content.decode()
    assert "text.png" in said
    assert "The other 1 were added" in said
    assert Image.objects.filter(filename="navy.png", owner=curator).exists()
    said = admin.post(
        "/admin/gallery/image/add/", {"owner": stranger.pk, "file": files[:1], "album": album.pk}
    )
    assert "This album is not stranger" in said.content.decode()
    assert b"This field is required" in admin.post("/admin/gallery/image/add/", {"owner": curator.pk}).content


def test_an_albums_form_takes_few_queries_however_large_it_is(
    admin, curator, photo, django_user_model, django_assert_max_num_queries
):
    album = Album.objects.create(owner=curator, title="Everybody", cover=None)
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    for number in range(12):
        person = django_user_model.objects.create_user(f"member{number}")
        AlbumMember.objects.create(album=album, user=person, role="viewer")
    address = f"/admin/gallery/album/{album.pk}/change/"
    with django_assert_max_num_queries(25):
        page = admin.get(address).content.decode()
    assert page.count("<option") < 100
    assert "member11" in page
    form = {
        "title": "Everybody", "owner": curator.pk, "order": album.order, "description": "",
        "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
        "memberships-2-TOTAL_FORMS": 0, "memberships-2-INITIAL_FORMS": 0,
    }  # fmt: skip
    wrong = admin.post(address, form | {"cover": photo("rocket").pk})
    assert "must be one of the album" in wrong.content.decode()
    assert admin.post(address, form | {"cover": photo("coffee").pk}).status_code == 302
    album.refresh_from_db()
    assert album.cover == photo("coffee")


@pytest.mark.parametrize(
    "table",
    ["gallery/sharelink", "gallery/invitation", "gallery/accesstoken", "search/savedsearch", "auth/user"],
)
def test_other_tables_are_there_and_frameworks_are_not(admin, curator, table):
    access_tokens.create(curator, "phone")
    link = ShareLink(owner=curator, title="Summer")
    link.new_token()
    link.save()
    SavedSearch.objects.create(owner=curator, name="Cats", address="q=cat")
    assert admin.get(f"/admin/{table}/").status_code == 200
    assert admin.get(f"/admin/{table}/?q=s").status_code == 200
    front = admin.get("/admin/").content.decode()
    assert "/admin/django_q/" not in front
    assert "/admin/thumbnail/" not in front


def test_links_and_people_are_ended(admin, administrator, curator, mailoutbox, settings):
    link = ShareLink(owner=curator, title="Summer")
    link.new_token()
    link.save()
    admin.post("/admin/gallery/sharelink/", {"action": "revoke", "_selected_action": [link.pk]})
    link.refresh_from_db()
    assert link.ended_at is not None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    curator.email, curator.password = (
        "curator@example.com",
        "!" if not curator.has_usable_password() else curator.password,
    )
    curator.save()
    chosen = {"_selected_action": [curator.pk, administrator.pk]}
    said = admin.post(
        "/admin/auth/user/", {"action": "send_reset_letter", **chosen}, follow=True
    ).content.decode()
    assert "1 letter sent." in said or "No mail server" in said
    admin.post("/admin/auth/user/", {"action": "deactivate", **chosen})
    curator.refresh_from_db()
    administrator.refresh_from_db()
    assert (curator.is_active, administrator.is_active) == (False, True)


def test_where_others_took_their_pictures_an_administrator_is_not_told(admin, curator):
    exif = Pillow.Exif()
    place = {1: "N", 2: (38.0, 42.0, 0.0), 3: "W", 4: (9.0, 8.0, 0.0)}
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
    image = ingest.add(curator, upload(encoded(drawn("coral"), "JPEG", exif=exif), "there.jpg")).image
    assert image.latitude
    content = b"".join(act(admin, "download", image).streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive, Pillow.open(archive.open("there.jpg")) as sent:
        assert not dict(sent.getexif().get_ifd(ExifTags.IFD.GPSInfo)).get(2)


def test_pictures_are_listed_by_album(admin, curator, photo, django_assert_max_num_queries):
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    assert f"?album={album.pk}" in admin.get("/admin/gallery/album/").content.decode()
    found = admin.get("/admin/gallery/image/", {"album": album.pk}).context["cl"].result_list
    assert [image.filename for image in found] == ["coffee.png"]


def test_the_front_page_tells_of_worker_disk_and_index(admin, db):
    WorkerState.objects.create(machine="here", beat_at=timezone.now(), restarts=2)
    words = admin.get("/admin/").content.decode()
    assert "of originals" in words
    assert re.search(r"heard of \d seconds ago, started again 2 times", words)
    assert 'href="/models/">weights' in words
