"""Pictures that look alike, found, kept and deleted."""

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from gallery import ingest, tasks
from gallery.imaging import pixels
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import comparing, duplicates
from search.models import Comparison
from tests.conftest import demo_path, encoded, one_machine
from tests.gallery.test_pages import text_of


def copy_of(name: str, owner, side: int, quality: int = 70) -> Image:
    """The demo photo as someone's own, smaller and compressed again, and read."""
    picture = pixels.load_rgb(demo_path(name))
    picture.thumbnail((side, side))
    content = ContentFile(encoded(picture, "JPEG", quality=quality), name=f"{name}-{side}.jpg")
    image = ingest.add(owner, content).image
    tasks.extract_batch(16)
    return image


def found(user) -> list[list[str]]:
    """What is shown once the worker has looked."""
    comparing.compare_changed()
    return shown(user)


def shown(user) -> list[list[str]]:
    return [[image.filename for image in group] for group in duplicates.groups(user)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A test has no time to wait until comparing again is worth it."""
    monkeypatch.setattr(comparing, "REST", 0)


@pytest.fixture
def copies(curator, photo):
    return [
        photo("coffee"),
        copy_of("coffee", curator, 500),
        copy_of("coffee", curator, 250),
        photo("rocket"),
        copy_of("rocket", curator, 400),
    ]


def test_copies_are_grouped_the_largest_first(curator, copies):
    assert found(curator) == [
        ["rocket.jpg", "rocket-400.jpg"],
        ["coffee.png", "coffee-500.jpg", "coffee-250.jpg"],
    ]


def test_what_is_kept_apart_hides_no_copy_that_comes_later():
    """Of four that look alike three are kept: the fourth is offered with all of them."""
    hashes, alike = np.full(4, 99, np.uint64), lambda places: np.ones((len(places), 1), np.float32)
    kept = np.array([[0, 1], [0, 2], [1, 2]])
    assert duplicates.pairs(hashes, alike, kept).tolist() == [[0, 3], [1, 3], [2, 3]]
    kept = np.array([[0, 1], [0, 2], [1, 2], [2, 3]])
    assert duplicates.pairs(hashes, alike, kept).tolist() == [[0, 3], [1, 3]]


@pytest.mark.parametrize("bits", [0, 3])
def test_a_thousand_shots_of_one_scene_make_fewer_pairs_than_pictures(bits):
    """And one group: not each pair of them, which nobody could keep in memory."""
    rng, size = np.random.default_rng(0), 1000
    hashes = np.full(size, rng.integers(1, 2**63), np.uint64)
    for row in range(size):
        for bit in rng.choice(64, bits, replace=False):
            hashes[row] ^= np.uint64(1) << np.uint64(bit)
    pairs = duplicates.pairs(hashes, lambda places: np.ones((len(places), 1), np.float32))
    assert len(pairs) < size
    groups = duplicates.components([tuple(pair) for pair in pairs.tolist()])
    assert max(map(len, groups)) > 0.9 * size


def test_the_demo_photos_are_all_different(curator):
    """Two of them are a stereo pair."""
    assert found(curator) in ([], [["motorcycle_left.png", "motorcycle_right.png"]])


def test_only_ones_own_pictures_are_compared(curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    AlbumMember.objects.create(album=album, user=stranger)
    copy_of("coffee", stranger, 300)
    assert found(stranger) == []
    assert found(curator) == []


def test_the_page_deletes_what_is_not_kept(page, curator, copies):
    large, middle, small, *_ = copies
    assert "still being compared" in text_of(page.get("/duplicates/"))
    comparing.compare_changed()
    assert "still being compared" not in text_of(page.get("/duplicates/"))
    assert "coffee-250.jpg" in text_of(page.get("/duplicates/"))
    group = [image.pk for image in (large, middle, small)]
    response = page.post("/duplicates/decide", {"group": group, "keep": [large.pk, middle.pk]})
    assert response["Location"] == "/duplicates/"
    assert not duplicates.access.deletable_images(curator).filter(pk=small.pk).exists()
    assert found(curator)[1] == ["coffee.png", "coffee-500.jpg"]
    assert "1 picture moved to the trash" in text_of(page.get("/duplicates/"))


def test_what_is_to_be_kept_is_not_shown_again(page, curator, copies):
    page.post("/duplicates/decide", {"group": [image.pk for image in copies[:3]], "all": "1"})
    assert found(curator) == [["rocket.jpg", "rocket-400.jpg"]]
    copy_of("coffee", curator, 320)
    assert "coffee-320.jpg" in found(curator)[0]  # a new copy is alike to them


@pytest.mark.parametrize(
    "form",
    [{}, {"group": "x"}, {"group": 10**20}, {"group": 999999}, {"group": "own"}, {"group": "own", "keep": 5}],
)
def test_wrong_forms_delete_nothing(page, curator, photo, form):
    if form.get("group") == "own":
        form = form | {"group": [photo("coffee").pk, photo("rocket").pk]}
    assert page.post("/duplicates/decide", form).status_code == 400
    assert curator.images.count() == 21


def test_nobody_decides_about_others_pictures(client, stranger, copies):
    client.force_login(stranger)
    group = {"group": [image.pk for image in copies[:3]]}
    for form in (group | {"keep": copies[0].pk}, group | {"all": "1"}):
        assert client.post("/duplicates/decide", form).status_code == 400
    assert Image.objects.filter(pk__in=group["group"]).count() == 3


def test_nearly_all_near_pairs_among_many_are_found():
    """Twenty thousand random hashes, and a thousand copies that differ in four bits."""
    rng = np.random.default_rng(1)
    originals = rng.integers(1, 2**63, 20_000, dtype=np.uint64)
    flips = np.array(
        [
            np.bitwise_or.reduce(np.uint64(1) << rng.choice(64, 4, replace=False).astype(np.uint64))
            for _ in range(1000)
        ]
    )
    hashes = np.concatenate([originals, originals[:1000] ^ flips])
    alike = duplicates.pairs(hashes, lambda places: np.ones((len(places), 1), np.float32))
    planted = {(i, 20_000 + i) for i in range(1000)}
    assert len(planted & set(map(tuple, alike.tolist()))) > 970
    assert len(alike) < 1010


@one_machine  # a transaction of its own lasts as long as a test does
def test_who_changed_nothing_is_not_compared_again(curator, stranger, copies, photo):
    assert comparing.compare_changed() == "the pictures of 1 people compared"
    assert comparing.compare_changed() == "the pictures of 0 people compared"
    copy_of("coffee", stranger, 300)
    copy_of("coffee", stranger, 200)
    assert comparing.compare_changed() == "the pictures of 1 people compared"
    assert shown(stranger) == [["coffee-300.jpg", "coffee-200.jpg"]]
    assert len(shown(curator)) == 2


def test_pairs_go_with_what_made_them_alike(curator, copies):
    found(curator)
    last = Image.objects.get(pk=copies[-1].pk)
    Image.objects.filter(pk=last.pk).update(perceptual_hash=~last.perceptual_hash)
    assert found(curator) == [["coffee.png", "coffee-500.jpg", "coffee-250.jpg"]]
    copies[2].delete()
    assert shown(curator) == [["coffee.png", "coffee-500.jpg"]], "at once"


def test_a_large_library_is_not_compared_all_the_time(curator, copies, monkeypatch):
    monkeypatch.setattr(comparing, "REST", 10**6)
    assert comparing.compare_changed() == "the pictures of 1 people compared"
    copy_of("coffee", curator, 300)
    assert comparing.compare_changed() == "the pictures of 0 people compared"
    assert not duplicates.are_compared(curator)


def test_what_a_killed_worker_began_is_done_by_another(curator, copies):
    found(curator)
    Comparison.objects.update(began_at=timezone.now())
    assert comparing.compare_changed() == "the pictures of 0 people compared", "it may still be at it"
    Comparison.objects.update(
        began_at=timezone.now() - comparing.LOST, done_at=timezone.now() - 2 * comparing.LOST
    )
    assert comparing.compare_changed() == "the pictures of 1 people compared"


def test_hashes_that_agree_by_chance_do_not_make_pictures_alike():
    hashes = np.array([5, 5, 0, 0], np.uint64)
    vectors = np.eye(4, dtype=np.float32)
    assert duplicates.pairs(hashes, lambda places: vectors[places]).tolist() == []
    assert duplicates.pairs(hashes, lambda places: vectors[places * 0]).tolist() == [[0, 1]]


def test_groups_are_connected_components():
    groups = duplicates.components([(1, 2), (3, 4), (2, 5), (5, 4), (8, 9)])
    assert sorted(map(sorted, groups)) == [[1, 2, 3, 4, 5], [8, 9]]
