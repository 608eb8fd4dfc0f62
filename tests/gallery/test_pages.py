"""The pages, with good input, wrong input, none, and too much."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from gallery import ingest, tasks
from gallery.files.thumbnails import thumbnail_name
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import engine
from search.query.query import Query
from tests.conftest import demo_path, drawn, encoded, upload


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


@pytest.mark.parametrize(
    "address", ["/", "/images/", "/upload/", "/images/1/", "/images/1/original", "/admin/"]
)
def test_everything_asks_who_you_are(client, db, address):
    response = client.get(address)
    assert response.status_code == 302
    assert "/login/?next=" in response["Location"]


def test_health_is_public_and_tells_nothing_of_pictures(client, db):
    response = client.get("/healthz")
    assert response.json() == {"status": "ok", "database": "ok", "extractor": "lite/2"}


def test_signing_in(client, curator):
    wrong = client.post("/accounts/login/", {"username": "curator", "password": "wrong"})
    assert "correct username and password" in text_of(wrong)
    right = client.post(
        "/accounts/login/", {"username": "curator", "password": "curator-password"}, follow=True
    )
    assert right.redirect_chain[-1][0] == "/"
    assert "Sign out" in text_of(right)


def test_browse_shows_every_picture_in_a_constant_number_of_queries(page, django_assert_num_queries):
    page.get("/images/")  # has the index read once
    # session, person, albums, serving, last change, names of those of one moment, pictures, unread ones,
    # and how many, what they show in words (extractor, tags), albums to add to
    with django_assert_num_queries(13):
        response = page.get("/images/")
    assert response.content.count(b'class="tile"') == 21


def test_one_picture_shows_its_tags_details_and_look_alikes(page, photo):
    image = photo("coffee")
    words = text_of(page.get(image.get_absolute_url()))
    for expected in (
        "coffee.png",
        "#espresso",
        "600 × 400",
        "PNG",
        "Similar pictures",
        "Download original",
        "Delete",
    ):
        assert expected in words


def test_uploading_several_files_tells_what_became_of_each(client, stranger):
    client.force_login(stranger)
    good = encoded(drawn(), "JPEG")
    files = [
        upload(good, "good.jpg"),
        upload(good, "again.jpg"),
        upload(b"<svg/>", "drawing.jpg"),
        upload(b"", "nothing.png"),
        upload(encoded(drawn("blue")), "<b>bold</b>.png"),
    ]
    response = client.post("/upload/", {"files": files})
    assert response.status_code == 200
    verdicts = [(outcome["name"], outcome["verdict"]) for outcome in response.context["outcomes"]]
    assert verdicts == [
        ("good.jpg", "added"),
        ("again.jpg", "there"),
        ("drawing.jpg", "refused"),
        ("nothing.png", "refused"),
        ("b>.png", "added"),
    ]
    assert Image.objects.filter(owner=stranger).count() == 2
    assert b"<b>bold" not in response.content


@pytest.mark.parametrize("data", [{}, {"files": ["just text"]}])
def test_uploading_nothing_names_the_field(page, data):
    response = page.post("/upload/", data)
    assert response.status_code == 400
    assert "Choose at least one picture." in text_of(response)


def test_uploading_only_bad_files_is_a_400(page):
    response = page.post("/upload/", {"files": upload(b"nonsense")})
    assert response.status_code == 400
    assert "This file is not a picture" in text_of(response)


def test_a_file_above_the_limit_spoils_no_other(page, settings):
    settings.MAX_UPLOAD_MB = 1
    files = [
        SimpleUploadedFile("big.png", b"\x89PNG" + b"0" * 3_000_000),
        upload(encoded(drawn("lime")), "small.png"),
    ]
    response = page.post("/upload/", {"files": files})
    assert [outcome["verdict"] for outcome in response.context["outcomes"]] == ["refused", "added"]
    assert "The file is 3.0 MB; the limit is 1 MB." in text_of(response)


def test_too_many_files_is_a_413_in_words(page, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = page.post("/upload/", {"files": [upload(b"x"), upload(b"y"), upload(b"z")]})
    assert response.status_code == 413
    assert "You can send up to 2 files at once." in text_of(response)


def test_the_original_comes_back_byte_for_byte_as_an_attachment(page, photo):
    image = photo("coffee")
    response = page.get(reverse("image-original", args=[image.pk]))
    assert b"".join(response.streaming_content) == demo_path("coffee").read_bytes()
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == 'attachment; filename="coffee.png"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]


def test_names_of_any_language_survive_a_download(page, curator):
    image = ingest.add(curator, upload(encoded(drawn("navy")), 'Été "à la" plage\r\nX: y.png')).image
    response = page.get(reverse("image-original", args=[image.pk]))
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%C3%89t%C3%A9")
    assert "X" not in response.headers


@pytest.mark.parametrize(("size", "longest"), [("small", 320), ("medium", 512), ("large", 512)])
def test_thumbnails_fit_their_size_and_are_never_enlarged(page, photo, size, longest):
    from io import BytesIO

    from PIL import Image as Pillow

    response = page.get(reverse("image-thumbnail", args=[photo("astronaut").pk, size]))
    picture = Pillow.open(BytesIO(b"".join(response.streaming_content)))
    assert (picture.format, max(picture.size)) == ("JPEG", longest)
    assert "max-age=86400" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    again = page.get(
        reverse("image-thumbnail", args=[photo("astronaut").pk, size]),
        headers={"if-none-match": response["ETag"]},
    )
    assert again.status_code == 304


def test_a_thumbnail_is_upright(page, stranger, client):
    from io import BytesIO

    from PIL import Image as Pillow

    exif = Pillow.Exif()
    exif[0x0112] = 6
    client.force_login(stranger)
    image = ingest.add(stranger, upload(encoded(drawn(size=(80, 40)), "JPEG", exif=exif))).image
    response = client.get(reverse("image-thumbnail", args=[image.pk, "small"]))
    assert Pillow.open(BytesIO(b"".join(response.streaming_content))).size == (40, 80)


@pytest.mark.parametrize("format", ["HEIF", "AVIF", "TIFF"])
def test_formats_that_browsers_cannot_show_have_thumbnails(client, stranger, format):
    client.force_login(stranger)
    image = ingest.add(stranger, upload(encoded(drawn(), format))).image
    response = client.get(reverse("image-thumbnail", args=[image.pk, "small"]))
    assert response["Content-Type"] == "image/jpeg"


def test_a_missing_file_is_a_404_not_a_500(page, curator):
    image = ingest.add(curator, upload(encoded(drawn("teal")))).image
    Path(image.original.path).unlink()
    for name, arguments in (("image-original", []), ("image-thumbnail", ["small"])):
        assert page.get(reverse(name, args=[image.pk, *arguments])).status_code == 404


def test_deleting_asks_for_a_post_and_then_it_is_in_the_trash(page, photo):
    image = photo("moon")
    answer = page.get(f"/images/{image.pk}/delete")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert f'href="/images/{image.pk}/"' in answer.content.decode()
    assert page.get("/api/v1/images/bulk/").json()["status"] == 405
    response = page.post(f"/images/{image.pk}/delete", follow=True)
    assert "moon.png was moved to the trash, where it stays for 30 days." in text_of(response)
    assert page.get(f"/images/{image.pk}/").status_code == 404


@pytest.mark.parametrize("way", ["/images/{}/", "/images/{}/original", "/images/{}/thumbnail/small"])
def test_what_you_may_not_see_does_not_exist(client, stranger, curator, photo, way):
    client.force_login(stranger)
    image = photo("coffee")
    assert client.get(way.format(image.pk)).status_code == 404
    assert client.post(f"/images/{image.pk}/delete").status_code == 404
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=image)
    member = AlbumMember.objects.create(album=album, user=stranger)
    assert client.get(way.format(image.pk)).status_code == 200
    assert client.post(f"/images/{image.pk}/delete").status_code == 404  # seen, but not theirs
    member.delete()
    assert client.get(way.format(image.pk)).status_code == 404


def test_only_the_owner_reads_why_a_picture_failed(client, curator, stranger):
    image = ingest.add(curator, upload(encoded(drawn("olive")))).image
    Path(image.original.path).write_bytes(b"rotten")
    while tasks.extract_batch(16):
        pass
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=image)
    AlbumMember.objects.create(album=album, user=stranger)
    for person, told in ((curator, True), (stranger, False)):
        client.force_login(person)
        words = text_of(client.get(image.get_absolute_url()))
        assert "This picture couldn't be processed." in words
        assert ("be decoded." in words) == told


@pytest.mark.parametrize(
    "address",
    [
        "/images/?page=abc",
        "/images/?page=0",
        "/images/?page=999",
        "/images/?page=99999999999999999999",
        "/?page=x&q=cat",
        "/?page=-1&q=cat",
        "/?page=50&q=cat",
        "/?image=abc",
        "/?image=123456",
        "/?picture=unknown",
        "/?q=%23",
        "/?q=" + "x" * 1001,
    ],
)
def test_a_wrong_address_is_a_400_with_a_sentence(page, address):
    response = page.get(address)
    assert response.status_code == 400
    assert re.search(r"(alert\">|<p>)(&#x27;|[A-Z])[^<]+\.</p>", response.content.decode())


@pytest.mark.parametrize(
    "address",
    ["/images/99999999999999999999999/", "/images/0/", "/images/1/thumbnail/huge", "/nowhere", "/images/x/"],
)
def test_a_page_that_is_not_there_is_a_404_in_style(page, address):
    response = page.get(address)
    assert response.status_code == 404
    assert "This page doesn't exist" in text_of(response)


def test_a_form_from_elsewhere_is_refused_in_style(curator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(curator)
    response = client.post("/upload/", {})
    assert response.status_code == 403
    assert "Not allowed" in text_of(response)


def test_a_thumbnail_whose_file_is_gone_is_made_anew(page, photo):
    image = photo("coffee")
    address = f"/images/{image.pk}/thumbnail/small"
    first = b"".join(page.get(address).streaming_content)
    storages["thumbnails"].delete(thumbnail_name(image, "small"))
    assert b"".join(page.get(address).streaming_content) == first


def test_who_was_signed_out_comes_back_to_the_page_of_the_form(client, photo):
    address = photo("coffee").get_absolute_url() + "?in=search&q=cup&at=1"
    for path, form in (("caption", {"caption": "x"}), ("correct", {"action": "date", "taken": "1987"})):
        posted = f"/images/{photo('coffee').pk}/{path}"
        for extra, headers in (({"next": address}, {}), ({}, {"Referer": f"http://testserver{address}"})):
            answer = client.post(posted, form | extra, headers=headers)
            assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [address]
    assert "You were signed out" in text_of(client.get(answer["Location"]))
    foreign = client.post(posted, {}, headers={"Referer": "https://elsewhere.example/images/1/"})
    assert parse_qs(urlsplit(foreign["Location"]).query)["next"] == ["/"]


def test_a_script_is_told_to_load_the_sign_in_page(client):
    boosted = {"HX-Request": "true", "HX-Boosted": "true"}
    assert "next=/%3Fq%3Dcup" in client.get("/?q=cup", headers=boosted)["HX-Redirect"]
    part = {"HX-Request": "true", "HX-Current-URL": "http://testserver/images/"}
    assert client.get("/waiting/?of=3", headers=part)["HX-Redirect"].endswith("next=/images/")


def test_deleting_a_picture_goes_to_the_next_of_the_list(page, curator):
    results = engine.search(Query(text="cup"), curator).results
    first, second, third = (own.image for own in results[:3])
    html = page.get(
        first.get_absolute_url(), {"in": "search", "q": "cup", "at": "0", "all": "1"}
    ).content.decode()
    [following] = re.findall(r'name="next"\s+value="([^"]+)"[^>]*>\s*<p>Moves to the trash', html)
    answer = page.post(f"/images/{first.pk}/delete", {"next": unescape(following)}, follow=True)
    assert answer.redirect_chain[-1][0].startswith(second.get_absolute_url())
    assert f"/images/{third.pk}/" in answer.content.decode()  # its next one is the one after


def test_a_refused_form_leads_back_to_where_it_stood(page, photo):
    came_from = f"http://testserver{photo('coffee').get_absolute_url()}"
    address = f"/images/{photo('coffee').pk}/correct"
    answer = page.post(address, {"action": "date", "taken": "31.12.2024"}, headers={"Referer": came_from})
    assert f'href="{photo("coffee").get_absolute_url()}"' in answer.content.decode()


def test_a_title_tells_a_search_from_others(page, photo):
    def title(**query) -> str:
        return " ".join(
            re.search(r"<title>(.*?)</title>", page.get("/", query).content.decode(), re.S)[1].split()
        )

    assert re.fullmatch(r"cup, \d+ pictures? – Picfusion", title(q="cup"))
    assert re.fullmatch(r"Like a picture, \d+ pictures? – Picfusion", title(image=photo("coffee").pk))
    assert title() == "Picfusion"
