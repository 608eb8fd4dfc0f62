"""Words on pictures, from an extractor or from a person."""

import unicodedata
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
        """Return the id of each normalized name, or of what it is called here; new ones become tags."""
        called = self.called(names)
        meant = {called.get(name, name) for name in names}
        self.bulk_create([self.model(name=name) for name in sorted(meant)], ignore_conflicts=True)
        ids = dict(self.filter(name__in=meant).values_list("name", "id"))
        return {name: ids[called.get(name, name)] for name in names}

    def ids_of(self, names: set[str]) -> dict[str, int]:
        """Return the id of each of the names, or of what it is called here, that is a tag; one statement."""
        if not names:
            return {}
        decisions = apps.get_model("gallery", "TagDecision").objects.exclude(instead="")
        target = Subquery(self.filter(name=OuterRef("instead")).order_by().values("pk"))
        decided = decisions.filter(name__in=names).order_by().values_list("name", target, Value(1))
        own = self.filter(name__in=names).order_by().values_list("name", "pk", Value(0))
        rows = sorted(own.union(decided, all=True), key=lambda row: row[2])  # what is decided goes before
        return {name: pk for name, pk, _is_decided in rows if pk is not None}

    @staticmethod
    def called(names: set[str]) -> dict[str, str]:
        """Return what is decided that some of the names are called instead."""
        decisions = apps.get_model("gallery", "TagDecision").objects.exclude(instead="")
        return dict(decisions.filter(name__in=names).values_list("name", "instead")) if names else {}


class Tag(models.Model):
    """A word from a vocabulary or from a person, stored normalized."""

    name = models.CharField(max_length=MAX_TAG_LENGTH, unique=True)

    objects = TagManager()
    pictures: int  # how many carry it, where a queryset counts them

    class Meta:
        ordering = ["name"]
        verbose_name = gettext_lazy("tag")
        verbose_name_plural = gettext_lazy("tags")
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
        HIDDEN = "hidden", "hidden by a decision about the tag"  # an extractor's, as in gallery.tag_decisions

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
        verbose_name = gettext_lazy("tag of a picture")
        verbose_name_plural = gettext_lazy("tags of a picture")
        constraints = [
            models.UniqueConstraint(
                fields=["image", "tag", "extractor"], name="tag_once_per_image_and_extractor"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_0_to_1"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["person", "removed"], extractor="")
                | (Q(source__in=["extractor", "hidden"]) & ~Q(extractor="")),
                name="image_tag_source_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag} on image {self.image_id}"
