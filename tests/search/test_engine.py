"""Searching the real photos with the real extractor."""

from datetime import datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from PIL import Image as Pillow
from PIL import ImageOps

from gallery import ingest, tasks
from gallery.models import Album, AlbumImage, AlbumMember, Embedding, Image, ImageTag
from search import engine
from search.live_index import live_index
from search.query import query_pictures
from search.query.errors import QueryError
from search.query.filters import Filters
from search.query.query import Query
from tests.conftest import ON_ONE_MACHINE, demo_path, encoded, one_machine, upload

pytestmark = pytest.mark.many
# These need every picture's score, which a service does not tell.
FUSIONS = ["mean", *(pytest.param(name, marks=one_machine) for name in ("calibrated", "rrf"))]


def names(query: Query, user, **options) -> list[str]:
    return [result.image.filename.split(".")[0] for result in engine.search(query, user, **options).results]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a kitten", "chelsea"),
        ("space launch", "rocket"),
        ("hot drink", "coffee"),
        # lite/2 takes the dahlia for a honeycomb.
        pytest.param("a blooming plant", "flower", marks=pytest.mark.xfail(strict=True)),
        ("a pet", "chelsea"),
        ("temple", "china"),
        ("two wheeled vehicle", "motorcycle_left"),
    ],
)
def test_words_find_photos(curator, text, found):
    assert names(Query(text=text), curator)[0] == found


def test_an_astronaut_is_among_the_first(curator):
    assert "astronaut" in names(Query(text="astronaut in a spacesuit"), curator)[:3]


def test_a_tag_finds_exactly_the_photos_that_carry_it(curator):
    assert names(Query(tags=("espresso",)), curator) == ["coffee"]


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "flower", "china"])
def test_a_mirrored_and_cropped_copy_finds_its_photo(curator, name):
    with Pillow.open(demo_path(name)) as original:
        width, height = original.size
        box = (width // 10, height // 10, width - width // 10, height - height // 10)
        copy = ImageOps.mirror(original.convert("RGB")).crop(box)
    key = query_pictures.add(upload(encoded(copy, "JPEG", quality=80))).key
    assert names(Query(picture_keys=(key,)), curator)[0] == name


def test_a_picture_finds_itself_with_full_score(curator, photo):
    cat = photo("chelsea")
    [first, *_] = engine.search(Query(image_ids=(cat.pk,)), curator).results
    assert first.image == cat
    assert first.score == pytest.approx(1.0, abs=1e-4)
    assert first.parts.matched_tags == sorted(cat.tags.values_list("name", flat=True))


def test_text_pulls_a_picture_query_its_way(curator, photo):
    with_words = names(Query(image_ids=(photo("coffee").pk,), text="rocket on a launch pad"), curator)
    assert with_words.index("rocket") < names(Query(image_ids=(photo("coffee").pk,)), curator).index("rocket")


def test_a_tag_breaks_the_tie_in_a_mix(curator):
    assert names(Query(text="something to drink", tags=("espresso",)), curator)[0] == "coffee"


@pytest.mark.parametrize(
    "fields", [{"text": "animal"}, {"tags": ("espresso",), "text": "cup"}, {"image": "coffee"}]
)
def test_the_parts_add_up_to_the_score(curator, photo, fields):
    if name := fields.pop("image", None):
        fields |= {"image_ids": (photo(name).pk,), "text": "morning", "tags": ("espresso", "tabby cat")}
    for result in engine.search(Query(**fields), curator).results:
        parts = result.parts
        assert parts.image + parts.text + parts.tags == pytest.approx(result.score, abs=1e-5)


def test_excluded_tags_leave_pictures_out(curator):
    everything = names(Query(text="drink"), curator)
    assert set(everything) - set(names(Query(text="drink", exclude_tags=("espresso",)), curator)) == {
        "coffee"
    }
    assert "coffee" not in names(Query(exclude_tags=("espresso",)), curator)


def test_unwanted_words_push_down(curator):
    assert names(Query(text="animal"), curator)[0] == "chelsea"
    steered = names(Query(text="animal", exclude_text="a cat"), curator)
    assert steered.index("chelsea") > 0
    assert names(Query(exclude_text="a cat"), curator)[-1] == "chelsea"


def test_less_like_this_pushes_a_picture_and_its_like_down(curator, photo):
    query = Query(text="hot drink", exclude_image_ids=(photo("coffee").pk,))
    assert names(query, curator).index("coffee") > names(Query(text="hot drink"), curator).index("coffee")
    with pytest.raises(QueryError, match="There is no picture"):
        engine.search(Query(exclude_image_ids=(10**6,)), curator)


def test_weights_decide_between_components(curator):
    def asked(**weights):
        return names(
            Query(
                text="space launch", tags=("espresso",), weights={"image": 1, "text": 1, "tags": 1} | weights
            ),
            curator,
        )

    assert asked(tags=10)[0] == "coffee"
    assert asked(text=10)[0] == "rocket"
    assert asked(tags=0) == names(Query(text="space launch"), curator)
    with pytest.raises(QueryError, match="everything you search by"):
        engine.search(Query(text="x", weights={"image": 1, "text": 0, "tags": 1}), curator)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_finds_a_mix_and_explains_it(curator, photo, fusion):
    query = Query(
        text="something to drink", image_ids=(photo("coffee").pk,), tags=("espresso",), fusion=fusion
    )
    results = engine.search(query, curator).results
    assert results[0].image.filename == "coffee.png"
    for result in results:
        parts = result.parts
        assert parts.image + parts.text + parts.tags == pytest.approx(result.score, abs=1e-5)


class TestFilters:
    def found(self, user, text="", **filters) -> set[str]:
        return set(names(Query(text=text, filters=Filters(**filters)), user))

    def test_dates(self, curator, photo):
        def taken(name, moment):
            Image.objects.filter(pk=photo(name).pk).update(
                taken_local=datetime.fromisoformat(moment + "+00:00")
            )

        Image.objects.update(taken_local=None)
        taken("coffee", "2024-04-30T23:59:59")
        taken("rocket", "2024-05-01T00:00:00")
        taken("chelsea", "2025-02-03T12:00:00")
        assert self.found(curator, "x", after="2024-05") == {"rocket", "chelsea"}
        assert self.found(curator, before="2024-05") == {"coffee"}
        assert self.found(curator, "x", after="2024", before="2025") == {"coffee", "rocket"}
        assert self.found(curator, after="2025-02-03", before="2025-02-04") == {"chelsea"}
        today = timezone.now().strftime("%Y")
        assert len(self.found(curator, added_after=today)) == 21
        assert self.found(curator, added_before=today) == set()

    def test_owner_and_album_by_title(self, curator, stranger, photo):
        album = Album.objects.create(owner=curator, title="Corsica 2024")
        AlbumImage.objects.create(album=album, image=photo("coffee"))
        AlbumMember.objects.create(album=album, user=stranger)
        assert self.found(stranger, album="corsica 2024") == {"coffee"}
        assert self.found(stranger, owner="curator") == {"coffee"}
        assert self.found(stranger, owner="stranger") == self.found(stranger, owner="nobody") == set()
        with pytest.raises(QueryError, match="There is no album Sardinia"):
            self.found(curator, album="Sardinia")

    def test_format_size_and_untagged(self, curator, photo):
        for name, value in (("format", "PNG"), ("format", "JPEG")):
            expected = curator.images.filter(format=value)
            assert len(self.found(curator, **{name: value})) == expected.count()
        large = {i.filename.split(".")[0] for i in curator.images.all() if max(i.width, i.height) >= 600}
        assert self.found(curator, "x", min_size=600) == large
        ImageTag.objects.filter(image=photo("coffee")).delete()
        untagged = {i.filename.split(".")[0] for i in curator.images.filter(image_tags=None)}
        assert "coffee" in untagged
        assert self.found(curator, untagged=True) == untagged


def test_weights_of_tags_and_phrases(curator):
    def asked(**fields):
        return engine.search(Query(**fields), curator).results

    [first, *_] = asked(tags=("espresso", "tabby cat"), tag_weights={"espresso": 3})
    assert (first.image.filename, first.score) == ("coffee.png", 0.75)
    assert names(Query(phrases={"a kitten": 5, "space launch": 1}), curator)[0] == "chelsea"
    assert names(Query(phrases={"a kitten": 1, "space launch": 5}), curator)[0] == "rocket"
    assert names(Query(text="a kitten"), curator) == names(Query(phrases={"a kitten": 2}), curator)


def test_of_several_pictures_each_result_says_which_pulled_it_up(curator, photo):
    wanted, unwanted = [photo(name).pk for name in ("rocket", "coffee")], photo("flower").pk
    query = Query(image_ids=tuple(wanted), exclude_image_ids=(unwanted,))
    by_name = {
        result.image.filename.split(".")[0]: result.parts.pictures
        for result in engine.search(query, curator).results
    }
    for name in ("rocket", "coffee"):
        likest = by_name[name][0]
        assert (likest.name, likest.unwanted) == (photo(name).pk, False)
        assert likest.similarity == pytest.approx(1, abs=1e-5)
    assert [picture.name for picture in by_name["flower"] if picture.unwanted] == [unwanted]
    assert engine.search(Query(image_ids=(wanted[0],)), curator).results[0].parts.pictures == []


def test_unknown_tags_are_named_and_count(curator):
    page = engine.search(Query(tags=("espresso", "unicorn")), curator)
    assert page.unknown_tags == ["unicorn"]
    assert [result.score for result in page.results] == [0.5]


def test_pages_follow_each_other_without_gap_or_repetition(curator):
    whole = names(Query(text="animal"), curator)
    assert len(whole) == 21
    paged = [
        name
        for offset in range(0, 25, 5)
        for name in names(Query(text="animal"), curator, offset=offset, limit=5)
    ]
    assert paged == whole


def test_a_new_picture_is_found_and_a_deleted_one_gone(curator, photo):
    assert names(Query(tags=("espresso",)), curator) == ["coffee"]
    built = ON_ONE_MACHINE and live_index._opened.index
    image = ingest.add(curator, ContentFile(demo_path("coffee").read_bytes() + b" ", name="latte.png")).image
    assert names(Query(tags=("espresso",)), curator) == ["coffee"]
    tasks.extract_batch(16)
    assert names(Query(tags=("espresso",)), curator) == ["latte", "coffee"]  # equal scores: the newest first
    Image.objects.get(pk=image.pk).delete()
    assert names(Query(tags=("espresso",)), curator) == ["coffee"]
    photo("coffee").image_tags.all().delete()
    assert names(Query(tags=("espresso",)), curator) == []
    assert not ON_ONE_MACHINE or live_index._opened.index is built, (
        "the index was rebuilt instead of refreshed"
    )


def test_a_search_takes_the_same_queries_for_one_result_and_for_twenty(
    curator, django_assert_max_num_queries
):
    names(Query(text="animal"), curator)
    for limit in (1, 20):
        # Without an index here: how far the engine is, and what the database says of what it proposes.
        with django_assert_max_num_queries(8 if ON_ONE_MACHINE else 13):
            names(Query(text="animal"), curator, limit=limit)


@one_machine
def test_a_restored_database_is_noticed(curator, stranger, photo):
    """A rollback stands for a backup that was put back: numbers of changes start over."""
    assert len(names(Query(text="animal"), curator)) == 21
    with transaction.atomic():
        Image.objects.update(owner=stranger)
        assert names(Query(text="animal"), curator) == []
        transaction.set_rollback(True)
    assert len(names(Query(text="animal"), curator)) == 21


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_order_is_that_of_float64_with_the_newest_first_among_equals(curator, photo, fusion):
    """Many copies of one vector: float32 would put some of them out of order."""
    key = "lite/2"
    vector = photo("coffee").embeddings.get().vector
    copies = [
        Image.objects.create(
            owner=curator, sha256=f"{i:064}", filename=f"copy {i}", format="PNG",
            size_bytes=1, width=1, height=1, status="ready",
        )
        for i in range(40)
    ]  # fmt: skip
    Embedding.objects.bulk_create(
        [Embedding(image=copy, extractor=key, dim=384, vector=vector) for copy in copies]
    )
    query = Query(text="hot drink", image_ids=(photo("rocket").pk,), fusion=fusion)
    results = engine.search(query, curator, limit=100).results
    assert sorted(results, key=lambda r: (-r.score, -r.image.pk)) == results
    same = [result.image.pk for result in results if result.image.filename.startswith("copy")]
    assert same == sorted(same, reverse=True)
    assert len({result.score for result in results if result.image.filename.startswith("copy")}) == 1


class TestSharing:
    @pytest.fixture
    def album(self, curator, photo):
        album = Album.objects.create(owner=curator, title="Shared")
        AlbumImage.objects.create(album=album, image=photo("coffee"))
        return album

    def test_a_stranger_finds_nothing_and_learns_no_tags(self, stranger, album):
        page = engine.search(Query(tags=("espresso",), text="hot drink"), stranger)
        assert (page.count, page.results, page.unknown_tags) == (0, [], ["espresso"])

    def test_a_member_finds_what_is_in_the_album_until_either_leaves(self, stranger, album, photo):
        member = AlbumMember.objects.create(album=album, user=stranger)
        assert names(Query(text="animal"), stranger) == ["coffee"]
        AlbumImage.objects.create(album=album, image=photo("rocket"))
        assert sorted(names(Query(text="animal"), stranger)) == ["coffee", "rocket"]
        AlbumImage.objects.get(image=photo("coffee")).delete()
        assert names(Query(text="animal"), stranger) == ["rocket"]
        member.delete()
        assert names(Query(text="animal"), stranger) == []

    def test_an_album_narrows_a_search(self, curator, album):
        assert names(Query(text="animal", filters=Filters(album=album.pk)), curator) == ["coffee"]

    def test_nobody_searches_by_what_they_may_not_see(self, stranger, album, photo):
        with pytest.raises(QueryError, match="There is no picture"):
            engine.search(Query(image_ids=(photo("rocket").pk,)), stranger)
        with pytest.raises(QueryError, match="There is no album"):
            engine.search(Query(text="x", filters=Filters(album=album.pk)), stranger)

    def test_an_administrator_searches_only_what_is_theirs(self, administrator, album):
        assert names(Query(text="animal"), administrator) == []


def test_a_picture_that_is_not_read_yet_cannot_be_searched_by(curator):
    image = ingest.add(curator, upload(encoded(Pillow.new("RGB", (30, 30))))).image
    with pytest.raises(QueryError, match="still processing"):
        engine.search(Query(image_ids=(image.pk,)), curator)
    assert engine.similar(image, curator) == []


def test_similar_pictures_leave_out_the_picture_itself(curator, photo):
    cat = photo("chelsea")
    similar = engine.similar(cat, curator, limit=5)
    assert len(similar) == 5
    assert cat not in [result.image for result in similar]


def test_an_uploaded_picture_is_forgotten_after_a_month(curator):
    from datetime import timedelta

    from search import tasks as housekeeping
    from search.models import QueryPicture

    picture = query_pictures.add(upload(demo_path("coffee").read_bytes()))
    query = Query(picture_keys=(picture.key,))
    assert names(query, curator)[0] == "coffee"
    QueryPicture.objects.update(created_at=picture.created_at - timedelta(days=31))
    with pytest.raises(QueryError, match="has expired"):
        engine.search(query, curator)
    housekeeping.remove_expired()
    assert not QueryPicture.objects.exists()


def test_someone_without_pictures_searches_in_vain(db):
    nobody = get_user_model().objects.create_user("nobody")
    assert engine.search(Query(text="anything"), nobody).count == 0
