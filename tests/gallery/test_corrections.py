"""What people say of pictures stays: on pages, by API and in the admin, of one picture or many."""

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from PIL import Image as Pillow

from gallery import corrections, ingest, rereading, tagging, tasks
from gallery.imaging import metadata
from gallery.imaging.metadata import Beside
from gallery.imaging.written import Written
from gallery.models import Album, AlbumImage, AlbumMember, Change, Favourite, Image, ImageTag
from search import engine
from search.live_index import live_index
from search.query.filters import Filters
from search.query.query import Query
from tests.conftest import drawn, encoded, upload, wrong_fields
from tests.gallery.imaging.test_written import bag, xmp
from tests.gallery.test_share_links import make


@pytest.fixture
def mine(curator):
    """A picture, red on the left, whose file says when and where."""
    exif = Pillow.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2024:05:17 23:30:00", 0x9011: "+09:00"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (2.0, 30.0, 0.0)})
    added = ingest.add(curator, ContentFile(encoded(drawn(), "JPEG", exif=exif), name="mine.jpg"))
    tasks.extract_batch(16)
    added.image.refresh_from_db()
    return added.image


def found(user, **filters) -> set[int]:
    page = engine.search(Query(filters=Filters(**filters)), user)
    return {result.image.pk for result in page.results}


def test_day_and_month_are_those_of_the_place(page, curator, mine, settings):
    settings.TIME_ZONE = "America/Los_Angeles"
    assert mine.clock == datetime(2024, 5, 17, 23, 30)
    assert mine.taken_at == datetime(2024, 5, 17, 14, 30, tzinfo=UTC)
    assert mine.pk in found(curator, after="2024-05-17", before="2024-05-18")
    assert "May 17, 2024, 11:30 p.m." in page.get(mine.get_absolute_url()).content.decode()


def test_a_date_is_said_and_stays(page, curator, mine):
    address = reverse("image-correct", args=[mine.pk])
    for text, clock, precision in (
        ("1987-06", datetime(1987, 6, 1), "month"),
        ("1987", datetime(1987, 1, 1), "year"),
        ("", None, ""),
        ("1987-06-05 10:11", datetime(1987, 6, 5, 10, 11), ""),
    ):
        assert page.post(address, {"action": "date", "taken": text}).status_code == 302
        mine.refresh_from_db()
        assert (mine.clock, mine.taken_precision) == (clock, precision)
    read_again()
    mine.refresh_from_db()
    assert mine.clock == datetime(1987, 6, 5, 10, 11)
    assert mine.pk in found(curator, after="1987", before="1988")
    assert 'value="1987-06-05 10:11:00"' in page.get(mine.get_absolute_url()).content.decode()
    wrong = page.post(address, {"action": "date", "taken": "last summer"})
    assert (wrong.status_code, b"2024-05-17 10:00" in wrong.content) == (400, True)


def read_again() -> None:
    Image.objects.update(metadata_version=0)
    while rereading.measure_batch(16):
        pass


def test_a_place_is_said_and_stays(page, curator, mine):
    address = reverse("image-correct", args=[mine.pk])
    page.post(address, {"action": "place", "place": "Grandma's garden"})
    read_again()
    mine.refresh_from_db()
    assert (mine.latitude, mine.place) == (None, "Grandma's garden")
    assert found(curator, place="garden") == {mine.pk}
    page.post(address, {"action": "place", "place": "38.71, -9.14"})
    rereading.name_places_of([mine.pk])
    mine.refresh_from_db()
    assert (mine.latitude, mine.longitude) == (38.71, -9.14)
    assert "Lisbon" in mine.place
    for wrong in ("91, 0", "x" * 201):
        assert page.post(address, {"action": "place", "place": wrong}).status_code == 400
    page.post(address, {"action": "place", "place": ""})
    mine.refresh_from_db()
    assert (mine.latitude, mine.place) == (None, "")


def test_a_caption_that_was_taken_away_stays_away(page, curator):
    content = encoded(drawn("green"), "JPEG", xmp=xmp("<dc:description>Dusk</dc:description>"))
    image = ingest.add(curator, ContentFile(content, name="dusk.jpg")).image
    assert image.caption == "Dusk"
    page.post(reverse("image-caption", args=[image.pk]), {"caption": ""})
    read_again()
    image.refresh_from_db()
    assert image.caption == ""


def test_a_turn_is_seen_on_thumbnails_found_by_search_and_leaves_the_original_alone(page, curator, mine):
    original = mine.original.read()
    before = page.get(reverse("image-thumbnail", args=[mine.pk, "small"])).getvalue()
    page.post(reverse("image-correct", args=[mine.pk]), {"action": "turn-right"})
    mine.refresh_from_db()
    assert (mine.turn, mine.width, mine.height) == (1, 48, 64)
    assert mine.status == "ready"  # it stays in the results
    before_vector = bytes(mine.embeddings.get().vector)
    tasks.read_turned([mine.pk])
    assert bytes(mine.embeddings.get().vector) != before_vector
    read_again()
    mine.refresh_from_db()
    assert (mine.status, mine.width, mine.height) == ("ready", 48, 64)
    answer = page.get(reverse("image-thumbnail", args=[mine.pk, "small"]))
    shown = Pillow.open(io.BytesIO(answer.getvalue()))
    assert shown.size == (48, 64)
    assert shown.getpixel((24, 10))[1] < 60 < shown.getpixel((24, 54))[1]  # red is above now
    assert "?turn=1" in page.get(mine.get_absolute_url()).content.decode()
    assert mine.original.open().read() == original
    page.post(reverse("image-correct", args=[mine.pk]), {"action": "turn-left"})
    mine.refresh_from_db()
    assert (mine.turn, mine.width, mine.height) == (0, 64, 48)
    assert page.get(reverse("image-thumbnail", args=[mine.pk, "small"])).getvalue() == before


def test_many_at_once(page, curator, photo):
    ids = [photo(name).pk for name in ("coffee", "rocket")]
    page.post(reverse("selection"), {"action": "date", "taken": "1999", "image": ids})
    assert set(Image.objects.filter(pk__in=ids).values_list("taken_precision", flat=True)) == {"year"}
    page.post(reverse("selection"), {"action": "place", "place": "Attic", "image": ids})
    assert found(curator, place="attic") == set(ids)
    page.post(reverse("selection"), {"action": "turn-left", "image": ids})
    assert set(Image.objects.filter(pk__in=ids).values_list("turn", flat=True)) == {3}
    assert page.post(reverse("selection"), {"action": "date", "taken": "x", "image": ids}).status_code == 400
    images = Image.objects.filter(pk__in=ids)
    assert corrections.shift_dates(images, timedelta(hours=-1)) == 0  # of a year there is nothing to shift
    page.post(reverse("selection"), {"action": "date", "taken": "1999-01-01 00:00", "image": ids})
    assert corrections.shift_dates(images, timedelta(hours=1)) == 2
    assert {image.clock for image in images} == {datetime(1999, 1, 1, 1)}


def test_of_a_day_there_are_no_hours_to_shift(photo):
    images = Image.objects.filter(pk=photo("coffee").pk)
    corrections.set_date(images, corrections.parse_date("1987-06-05"))
    assert corrections.shift_dates(images, timedelta(hours=1)) == 0
    assert corrections.shift_dates(images, timedelta(days=-1)) == 1
    assert corrections.local_text(images[0].clock, images[0].taken_precision) == "1987-06-04"


def test_who_may(client, curator, stranger, photo):
    coffee = photo("coffee")
    client.force_login(stranger)
    address = reverse("image-correct", args=[coffee.pk])
    assert client.post(address, {"action": "date", "taken": "1999"}).status_code == 404
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=coffee)
    member = AlbumMember.objects.create(album=album, user=stranger, role="viewer")
    assert client.post(address, {"action": "date", "taken": "1999"}).status_code == 404
    AlbumMember.objects.filter(pk=member.pk).update(role="editor")
    assert client.post(address, {"action": "date", "taken": "1999"}).status_code == 302
    assert client.post(address, {"action": "place", "place": "Attic"}).status_code == 404


def test_the_api_says_the_same(api, curator, mine, stranger):
    address = f"/api/v1/images/{mine.pk}/"
    assert api.get(address).json()["taken"] == "2024-05-17 23:30:00"
    answer = api.patch(address, {"taken": "1987-06", "place": "48.5, 2.5", "caption": "A", "turn": 3})
    told = answer.json()
    assert answer.status_code == 200, told
    assert (told["taken"], told["location"], told["caption"], told["turn"]) == (
        "1987-06",
        [48.5, 2.5],
        "A",
        3,
    )
    assert (told["width"], told["height"]) == (48, 64)
    for wrong in (
        {"taken": "x"},
        {"place": "99,99"},
        {"turn": 4},
        {"turn": "a"},
        {"width": 3},
        {"taken": None},
    ):
        answer = api.patch(address, wrong, format="json")
        assert (answer.status_code, wrong_fields(answer)) == (400, list(wrong))
    mine.refresh_from_db()
    assert mine.taken_precision == "month"


def test_the_admin_says_the_same(client, administrator, mine):
    client.force_login(administrator)
    address = reverse("admin:gallery_image_change", args=[mine.pk])
    form = {
        "caption": "Said", "place": "Attic", "taken": "1999-01-02 03:04:05", "turn": "1",
        "image_tags-TOTAL_FORMS": "0", "image_tags-INITIAL_FORMS": "0",
        "embeddings-TOTAL_FORMS": "0", "embeddings-INITIAL_FORMS": "0",
    }  # fmt: skip
    answer = client.post(address, form)
    assert answer.status_code == 302, re.findall(r"errorlist.{300}", answer.content.decode(), re.S)
    assert client.post(address, form | {"taken": "x", "turn": "4"}).status_code == 200
    read_again()
    mine.refresh_from_db()
    assert (mine.caption, mine.place, mine.turn) == ("Said", "Attic", 1)
    assert mine.clock == datetime(1999, 1, 2, 3, 4, 5)


def test_what_others_programs_wrote_becomes_tags_caption_and_a_heart(curator):
    packet = xmp(bag("dc:subject", "Grandma Rosa", "Harbour") + "<dc:title>Dusk</dc:title>", 'xmp:Rating="5"')
    content = encoded(drawn("blue"), "JPEG", xmp=packet)
    image = ingest.add(curator, ContentFile(content, name="a.jpg")).image
    assert set(image.image_tags.values_list("tag__name", "source")) == {
        ("grandma rosa", "person"), ("harbour", "person"),
    }  # fmt: skip
    assert image.caption == "Dusk"
    assert Favourite.objects.get().image == image
    tagging.remove(image, "harbour")
    read_again()
    assert ImageTag.objects.get(image=image, tag__name="harbour").source == "removed"


def test_pictures_that_are_there_already_are_read_again_for_it_once(curator):
    content = encoded(drawn("blue"), "JPEG", xmp=xmp(bag("dc:subject", "Harbour")))
    image = ingest.add(curator, ContentFile(content, name="a.jpg")).image
    tasks.extract_batch(16)
    image.image_tags.all().delete()
    Image.objects.filter(pk=image.pk).update(metadata_version=metadata.VERSION - 1)
    assert rereading.measure_batch(16) == 1
    assert rereading.measure_batch(16) == 0
    assert image.image_tags.get().tag.name == "harbour"


def test_a_file_beside_it_speaks_where_the_picture_is_silent(curator):
    beside = Beside(None, (48.5, 2.5), Written(("attic",), "Said beside", 0))
    image = ingest.add(curator, ContentFile(encoded(drawn("blue")), name="a.png"), beside=beside).image
    assert (image.latitude, image.caption) == (48.5, "Said beside")
    assert image.image_tags.get().tag.name == "attic"


def test_a_picture_without_its_end_is_taken_and_marked(page, curator, photo):
    with photo("astronaut").original.open() as file:
        whole = encoded(Pillow.open(file), "JPEG", quality=90)
    page.post("/upload/", {"files": [upload(whole[: len(whole) // 2], "cut.jpg")]})
    image = Image.objects.get(filename="cut.jpg")
    assert image.is_cut_off
    assert tasks.extract_batch(16) == 1
    image.refresh_from_db()
    assert image.status == "ready"
    assert "lacks its end" in page.get(image.get_absolute_url()).content.decode()
    with live_index.open() as index:
        assert len(index.rows_of([image.pk])) == 1


def test_a_panorama_can_be_looked_at(page, curator):
    image = ingest.add(curator, ContentFile(encoded(Pillow.new("RGB", (20_000, 1000))), name="p.png")).image
    for size, least in (("large", 300), ("small", 60)):
        shown = Pillow.open(
            io.BytesIO(page.get(reverse("image-thumbnail", args=[image.pk, size])).getvalue())
        )
        assert shown.height >= least
        assert shown.width * shown.height <= 1.01 * 1600 * 1600


def test_downloads_say_it_when_asked_for(page, client, mine, stranger):
    corrections.set_caption(Image.objects.filter(pk=mine.pk), "At dusk")
    tagging.add(mine, "harbour")
    address = reverse("image-original", args=[mine.pk])
    plain, told = (page.get(address + query) for query in ("", "?with=metadata"))
    assert b"".join(plain) == mine.original.read()
    facts = metadata.read(Pillow.open(io.BytesIO(told.getvalue())))
    assert (facts.written.caption, facts.written.keywords) == ("At dusk", ("harbour",))
    assert facts.location == (48.5, 2.5)
    assert page.get(address + "?with=sugar").status_code == 400
    album = Album.objects.create(owner=mine.owner, title="Shared")
    AlbumImage.objects.create(album=album, image=mine)
    AlbumMember.objects.create(album=album, user=stranger)
    client.force_login(stranger)  # who is not told where it was taken
    facts = metadata.read(Pillow.open(io.BytesIO(client.get(address + "?with=metadata").getvalue())))
    assert (facts.written.caption, facts.location, facts.written.place) == ("At dusk", None, "")


def test_what_cannot_be_written_into_lies_beside(page, curator):
    added = ingest.add(curator, ContentFile(encoded(drawn("green"), "TIFF"), name="a.tif"))
    tagging.add(added.image, "harbour")
    for answer in (
        page.get(reverse("image-original", args=[added.image.pk]) + "?with=metadata"),
        page.post(
            reverse("selection"), {"action": "download", "with": "metadata", "image": [added.image.pk]}
        ),
    ):
        with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
            assert archive.namelist() == ["a.tif", "a.tif.xmp"]
            assert metadata.read_sidecar(archive.read("a.tif.xmp")).written.keywords == ("harbour",)


def while_it_is_read(monkeypatch, deed) -> None:
    """Have a person do something after the pictures were looked at, and before what was seen is written."""
    original = rereading._keep_what_was_seen

    def then(done):
        deed()
        original(done)

    monkeypatch.setattr(rereading, "_keep_what_was_seen", then)


def test_what_is_said_while_files_are_read_again_stays(mine, monkeypatch):
    images = Image.objects.filter(pk=mine.pk)
    corrections.set_date(images, corrections.parse_date("1987"))

    def deed():
        corrections.set_date(images, corrections.parse_date("1999"))
        corrections.set_place(images, None, "Attic")

    while_it_is_read(monkeypatch, deed)
    Image.objects.update(metadata_version=0)
    rereading.measure_batch(50)
    mine.refresh_from_db()
    assert (mine.clock, mine.place, mine.latitude) == (datetime(1999, 1, 1), "Attic", None)


def test_a_turn_while_files_are_read_again_stays(mine, monkeypatch):
    while_it_is_read(monkeypatch, lambda: corrections.turn(Image.objects.filter(pk=mine.pk), 1))
    Image.objects.update(metadata_version=0)
    rereading.measure_batch(50)
    mine.refresh_from_db()
    assert (mine.turn, mine.width, mine.height) == (1, 48, 64)


def test_a_turn_while_it_is_extracted_is_read_again(mine, monkeypatch):
    images = Image.objects.filter(pk=mine.pk)
    images.update(status=Image.Status.PENDING)
    mine.embeddings.all().delete()
    original = tasks.store

    def store(readings, key, turns=None):
        corrections.turn(images, 1)
        original(readings, key, turns)

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "store", store)
        tasks.extract_batch(16)
    mine.refresh_from_db()
    assert (mine.status, mine.turn) == (Image.Status.PENDING, 1)


def test_a_place_said_while_it_is_extracted_is_not_named_over(mine, monkeypatch):
    images = Image.objects.filter(pk=mine.pk)
    images.update(place="")
    stale = list(images)
    corrections.set_place(images, None, "")
    rereading.name_places(stale)
    mine.refresh_from_db()
    assert mine.place == ""


def test_a_heart_that_was_taken_away_stays_away(curator):
    content = encoded(drawn("blue"), "JPEG", xmp=xmp(attributes='xmp:Rating="5"'))
    image = ingest.add(curator, ContentFile(content, name="a.jpg")).image
    Favourite.objects.all().delete()
    Image.objects.update(metadata_version=metadata.VERSION)
    ingest.add(curator, ContentFile(content, name="a.jpg"), beside=Beside(written=Written((), "", 5)))
    assert not Favourite.objects.filter(image=image).exists()


def test_importing_again_writes_nothing(curator, mine):
    beside = Beside(None, (1.0, 2.0), Written(("harbour",), "Said", 0))
    content = mine.original.read()
    ingest.add(curator, ContentFile(content, name="mine.jpg"), beside=beside)
    before = Change.objects.order_by("-seq").first().seq
    ingest.add(curator, ContentFile(content, name="mine.jpg"), beside=beside)
    assert Change.objects.order_by("-seq").first().seq == before


def test_a_disk_that_is_away_costs_no_picture_its_words(mine, monkeypatch, tmp_path):
    Image.objects.update(metadata_version=0)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(mine.original.storage, "path", lambda name: str(tmp_path / "empty" / name))
    assert rereading.measure_batch(16) == 0
    assert not Image.objects.exclude(metadata_version=0).exists()


def test_guests_of_a_link_are_told_no_tags(client, page, mine):
    corrections.set_caption(Image.objects.filter(pk=mine.pk), "At dusk")
    tagging.add(mine, "harbour")
    album = Album.objects.create(owner=mine.owner, title="Shared")
    AlbumImage.objects.create(album=album, image=mine)
    address = make(page, album=album.pk, allow_download="on")
    client.logout()
    for part in (f"images/{mine.pk}/original?with=metadata", "download?with=metadata"):
        answer = client.get(address + part)
        content = b"".join(answer)
        assert answer.status_code == 200
        assert b"harbour" not in content
        assert b"At dusk" not in content


def test_a_corrected_place_is_the_only_one_in_a_copy(page, mine):
    address = reverse("image-original", args=[mine.pk]) + "?with=metadata"
    for said, location in (((10.0, 20.0), (10.0, 20.0)), (None, None)):
        corrections.set_place(Image.objects.filter(pk=mine.pk), said, "")
        facts = metadata.read(Pillow.open(io.BytesIO(page.get(address).getvalue())))
        assert facts.location == location


def test_a_stand_in_goes_by_its_own_name(page, curator, stranger, client):
    image = ingest.add(curator, ContentFile(encoded(drawn("red"), "JXL"), name="a.jxl")).image
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=image)
    AlbumMember.objects.create(album=album, user=stranger)
    client.force_login(stranger)
    answer = client.get(reverse("image-original", args=[image.pk]) + "?with=metadata")
    assert answer["Content-Type"] == "image/jpeg"
    assert "pixels only).jpg" in answer["Content-Disposition"]
