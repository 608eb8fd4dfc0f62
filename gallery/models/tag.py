"""Words on pictures, from an extractor or from a person."""

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

MAX_TAG_LENGTH = 100


def fold(name: str) -> str:
    """Write words as tags are compared: NFC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).lower().split())


def normalize(name: str) -> str:
    """Fold a word, a leading '#' removed, into the tag that is stored for it.

    Raises ValidationError when nothing is left, more than MAX_TAG_LENGTH characters are, or they cannot be
    shown.
    """
    tag = fold(name).lstrip("#").strip()
    if not tag:
        raise ValidationError(_("A tag needs at least one character besides '#'."))
    if len(tag) > MAX_TAG_LENGTH:
        raise ValidationError(
            _("A tag has at most %(max_tag_length)s characters; this one has %(tag)s.")
            % {"max_tag_length": MAX_TAG_LENGTH, "tag": len(tag)}
        )
    if not tag.isprintable():
        raise ValidationError(_("A tag can't contain control characters."))
    return tag


class TagManager(models.Manager):
    def ids_for(self, names: set[str]) -> dict[str, int]:
        """Return the id of each normalized name; names that are new become tags."""
        self.bulk_create([self.model(name=name) for name in sorted(names)], ignore_conflicts=True)
        return dict(self.filter(name__in=names).values_list("name", "id"))


class Tag(models.Model):
    """A word from a vocabulary or from a person, stored normalized."""

    name = models.CharField(max_length=MAX_TAG_LENGTH, unique=True)

    objects = TagManager()
    pictures: int  # how many carry it, where a queryset counts them

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="tag_has_name")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.name = normalize(self.name)


class ImageTagQuerySet(models.QuerySet):
    def shown(self, extractor: str) -> Any:
        """Return the tags that pictures carry for people: what persons gave, and what this extractor did."""
        return self.filter(
            Q(source=ImageTag.Source.PERSON) | Q(source=ImageTag.Source.EXTRACTOR, extractor=extractor)
        )


class ImageTag(models.Model):
    """That a picture carries a tag, who says so, and how sure they are.

    A person's word goes before an extractor's: where a person gave or removed a tag, no extractor's row is
    beside it. Extractors' rows stand beside each other, so that one can be searched while the next one reads.
    """

    class Source(models.TextChoices):
        EXTRACTOR = "extractor"
        PERSON = "person"
        REMOVED = "removed", "removed by a person"

    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="image_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="image_tags")
    confidence = models.FloatField(default=1.0, help_text="From 0 to 1.")
    source = models.CharField(max_length=9, choices=Source, default=Source.PERSON)
    extractor = models.CharField(
        max_length=64, blank=True, help_text="Its name and version, where one said so."
    )

    objects = ImageTagQuerySet.as_manager()

    class Meta:
        ordering = ["-confidence", "tag__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "tag", "extractor"], name="tag_once_per_image_and_extractor"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["person", "removed"], extractor="")
                | (Q(source="extractor") & ~Q(extractor="")),
                name="image_tag_source_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag} on image {self.image_id}"
