"""What the database itself refuses, and the log of changes that its triggers write."""

import pytest
from django.db import IntegrityError, transaction

from gallery.models import Album, AlbumImage, Change, Embedding, Image, ImageTag, Tag

pytestmark = pytest.mark.many


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"},
        {"status": "processing"},
        {"width": 0},
        {"size_bytes": 0},
    ],
)
def test_images_are_checked_by_the_database(photo, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Image.objects.filter(pk=photo("coffee").pk).update(**wrong)


def test_an_owner_cannot_have_the_same_bytes_twice(photo):
    with pytest.raises(IntegrityError), transaction.atomic():
        Image.objects.filter(pk=photo("coffee").pk).update(sha256=photo("rocket").sha256)


def test_tags_confidences_and_embeddings_are_checked_too(photo):
    image = photo("coffee")
    existing = image.image_tags.first()
    tag = Tag.objects.create(name="new")
    for wrong in (
        lambda: Tag.objects.create(name=""),
        lambda: Tag.objects.create(name="new"),
        lambda: ImageTag.objects.create(
            image=image, tag=existing.tag, source="extractor", extractor=existing.extractor
        ),
        lambda: ImageTag.objects.create(image=image, tag=tag, source="removed", extractor="lite/1"),
        lambda: ImageTag.objects.create(image=image, tag=tag, confidence=1.5),
        lambda: ImageTag.objects.create(image=image, tag=tag, source="extractor"),
        lambda: Embedding.objects.create(image=image, extractor="lite/2", dim=384, vector=b""),
        lambda: Embedding.objects.create(image=image, extractor="x/1", dim=0, vector=b""),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


def test_an_embedding_of_the_wrong_length_is_not_used(photo):
    embedding = photo("coffee").embeddings.get()
    embedding.dim = 10
    with pytest.raises(ValueError, match="384 numbers, not 10"):
        embedding.as_array()


def last() -> int:
    return Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def test_every_way_of_changing_an_image_is_logged(curator, photo):
    image = photo("coffee")
    album = Album.objects.create(owner=curator, title="Mornings")
    tag = Tag.objects.create(name="morning")
    for change in (
        lambda: Image.objects.filter(pk=image.pk).update(status="pending"),
        lambda: ImageTag.objects.bulk_create([ImageTag(image=image, tag=tag)]),
        lambda: tag.delete(),
        lambda: AlbumImage.objects.bulk_create([AlbumImage(image=image, album=album)]),
        lambda: album.delete(),
        lambda: Embedding.objects.bulk_create(
            [Embedding(image=image, extractor="lite/2", dim=1, vector=b"")],
            update_conflicts=True,
            unique_fields=["image", "extractor"],
            update_fields=["vector"],
        ),
        lambda: image.embeddings.all().delete(),
        lambda: curator.delete(),
    ):
        before = last()
        change()
        assert Change.objects.filter(seq__gt=before, image_id=image.pk).exists()


def test_what_is_written_and_seen_is_logged(photo):
    coffee = photo("coffee")
    for change in (
        {"filename": "latte.png"},
        {"caption": "x"},
        {"place": "y"},
        {"camera": "z"},
        {"colors": "red"},
    ):
        before = last()
        Image.objects.filter(pk=coffee.pk).update(**change)
        assert last() > before, change


def test_what_does_not_matter_to_a_search_is_not_logged(photo):
    before = last()
    Image.objects.filter(pk=photo("coffee").pk).update(iso=100, error="none")
    assert last() == before
