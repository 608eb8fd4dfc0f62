"""A picture, and the embedding that an extractor made of it."""

import secrets
from datetime import UTC, datetime
from enum import IntFlag

import numpy as np
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.imaging import dates, metadata
from gallery.imaging.dates import Moment
from gallery.imaging.formats import BY_NAME, FORMATS
from gallery.imaging.metadata import Beside, Facts

GREY = 0x808080
MAX_CAPTION, MAX_PLACE = 2000, 200  # characters


DATE_FIELDS = ["taken_at", "taken_local", "taken_offset", "taken_precision", "taken_is_guess"]


class Corrected(IntFlag):
    """What a person said of a picture: reading its file again does not change it."""

    DATE = 1
    PLACE = 2
    CAPTION = 4


def original_path(image: "Image", filename: str) -> str:
    """Where an original lies in its storage.

    By owner and hash, with a token that makes every row's file its own.
    """
    extension = BY_NAME[image.format].extension
    return f"{image.owner_id}/{image.sha256[:2]}/{image.sha256[:16]}-{secrets.token_hex(4)}.{extension}"


class Image(models.Model):
    """A picture as its owner uploaded it, byte for byte, and how far its extraction is."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Queued")
        PROCESSING = "processing", _("Processing")
        READY = "ready", _("searchable")
        FAILED = "failed", _("Failed")

    class Failure(models.TextChoices):
        """Why the last attempt at processing it failed."""

        MISSING = "missing", _("The original file is missing on the server.")
        MEMORY = "memory", _("There was not enough memory to process this picture.")
        UNREADABLE = "unreadable", _("The file can't be decoded.")
        CRASHED = "crashed", _("Processing this picture crashed repeatedly.")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="images")
    original = models.FileField(upload_to=original_path, max_length=200)
    sha256 = models.CharField(max_length=64, editable=False)
    filename = models.CharField(max_length=255, help_text="The name of the file when it was uploaded.")
    format = models.CharField(max_length=8, choices=[(format.name, format.label) for format in FORMATS])
    size_bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="In pixels, as seen upright.")
    height = models.PositiveIntegerField(help_text="In pixels, as seen upright.")
    taken_at = models.DateTimeField(null=True, blank=True, help_text="From the camera, where it says.")
    latitude = models.FloatField(
        null=True, blank=True, help_text="Degrees north, from the camera, where it says."
    )
    longitude = models.FloatField(null=True, blank=True, help_text="Degrees east.")
    place = models.CharField(
        max_length=200, blank=True, help_text="Town, region and country of the location."
    )
    caption = models.TextField(max_length=MAX_CAPTION, blank=True, help_text="What people say about it.")
    taken_offset = models.SmallIntegerField(
        null=True, blank=True, help_text="Minutes that the camera's clock was ahead of UTC, where it says."
    )
    taken_local = models.DateTimeField(
        null=True,
        blank=True,
        help_text="What the clock showed where it was taken, written as if that were UTC.",
    )
    taken_precision = models.CharField(
        max_length=5,
        blank=True,
        choices=[(dates.DAY, _("day")), (dates.MONTH, _("month")), (dates.YEAR, _("year"))],
    )
    taken_is_guess = models.BooleanField(default=False, help_text="By the file's name or its own time.")
    corrected = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="What a person said, as in Corrected."
    )
    turn = models.PositiveSmallIntegerField(
        default=0, help_text="Quarters clockwise that a person turned it, besides what its file says."
    )
    is_cut_off = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether its file lacks its end: it is shown as far as it goes.",
    )
    camera = models.CharField(max_length=80, blank=True)
    lens = models.CharField(max_length=80, blank=True)
    exposure = models.FloatField(null=True, blank=True, help_text="Seconds.")
    aperture = models.FloatField(null=True, blank=True, help_text="The f-number.")
    focal_length = models.FloatField(null=True, blank=True, help_text="Millimetres.")
    iso = models.FloatField("ISO", null=True, blank=True)
    metadata_version = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Which version of imaging.metadata read the columns above."
    )
    is_damaged = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether its file is not what was uploaded: it is not given out.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    trashed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Since when it is in the trash: seen by its owner alone, there.",
    )

    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    error = models.CharField(max_length=10, choices=Failure, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often reading it was begun.")
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    claimed_by = models.CharField(
        max_length=64, blank=True, editable=False, help_text="The machine that holds it."
    )

    perceptual_hash = models.BigIntegerField(
        null=True, editable=False, help_text="64 bits of what it looks like, from pixels.perceptual_hash."
    )

    color = models.PositiveIntegerField(
        null=True, editable=False, help_text="0xRRGGBB, what stands in its place while it loads."
    )

    colors = models.CharField(
        max_length=80,
        blank=True,
        editable=False,
        help_text="By name, from colors.named, spaces between them.",
    )

    is_text_read = models.BooleanField(
        default=False, editable=False, help_text="Whether text was looked for in it: see TextInImage."
    )

    tags = models.ManyToManyField("gallery.Tag", through="gallery.ImageTag", related_name="images")

    # What gallery.access writes beside a picture, for the person who asks.
    sees_location: bool
    keeps_location: bool
    is_favourite: bool
    alt: str  # what gallery.alternative_texts writes
    days_left: int  # what the page of the trash writes

    class Meta:
        ordering = ["-id"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="image_once_per_owner"),
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0, size_bytes__gt=0), name="image_has_size"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "ready", "failed"]),
                name="image_status_known",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="image_location_on_earth",
            ),
            models.CheckConstraint(
                condition=~Q(status="processing") | Q(lease_expires_at__isnull=False),
                name="image_processing_has_lease",
            ),
        ]
        indexes = [
            models.Index("owner", F("id").desc(), name="image_by_owner"),
            # Added up for quotas, which read all of it. Not by owner first: SQLite would prefer that to the
            # partial indexes below, and look at everything that a person has.
            models.Index(fields=["size_bytes", "owner"], name="image_size"),
            models.Index(fields=["trashed_at"], condition=Q(trashed_at__isnull=False), name="image_in_trash"),
            models.Index(
                fields=["owner", "-trashed_at", "-id"],
                condition=Q(trashed_at__isnull=False),
                name="image_in_own_trash",
            ),
            models.Index(
                fields=["id"], condition=Q(status="ready", color__isnull=True), name="image_to_measure"
            ),
            models.Index(
                fields=["owner", "id"],
                condition=Q(status="ready", is_text_read=False),
                name="image_to_read_text",
            ),
            models.Index(fields=["metadata_version"], name="image_to_read_again"),
            models.Index(fields=["owner", "-id"], condition=~Q(status="ready"), name="image_unread"),
            models.Index(
                "owner",
                "attempts",
                F("id").desc(),
                condition=Q(status__in=["pending", "processing"]),
                name="image_in_turn",
            ),
            # What a worker asks for: few rows, whatever the size of the library.
            models.Index(
                fields=["status", "attempts", "id"],
                condition=Q(status__in=["pending", "processing"]),
                name="image_to_extract",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("image", args=[self.pk])

    def describe(self, facts: Facts, beside: Beside | None = None) -> None:
        """Take over what the file says of itself, and where it is silent one beside it; nothing is saved.

        What a person said stays.
        """
        beside = beside or Beside()
        self.format, self.is_cut_off = facts.format, facts.is_cut_off
        sides = (facts.width, facts.height)
        self.width, self.height = sides[::-1] if self.turn % 2 else sides
        # What a file beside it once said stays, too: it is not there when the picture is read again.
        taken, location = facts.taken or beside.taken, facts.location or beside.location
        if not self.corrected & Corrected.DATE and (taken or self.taken_local is None):
            self.take(taken or dates.of_name(self.filename))
        if not self.corrected & Corrected.PLACE:
            self.latitude, self.longitude = location or (self.latitude, self.longitude)
            if self.latitude is None:
                self.place = self.place or beside.written.place or facts.written.place
        if not self.corrected & Corrected.CAPTION and not self.caption:
            self.caption = beside.written.caption or facts.written.caption
        for name, value in vars(facts.camera).items():
            setattr(self, name, value)
        self.metadata_version = metadata.VERSION

    def complete(self, beside: Beside) -> list[str]:
        """Take over what a file beside it says, where nothing is known yet; which. Nothing is saved."""
        changed: list[str] = []
        knows_date = self.taken_local is not None and not self.taken_is_guess
        is_sure = beside.taken is not None and not beside.taken.is_guess
        if is_sure and not knows_date and not self.corrected & Corrected.DATE:
            self.take(beside.taken)
            changed += DATE_FIELDS
        if beside.location and self.latitude is None and not self.corrected & Corrected.PLACE:
            self.latitude, self.longitude = beside.location
            changed += ["latitude", "longitude"]
        if beside.written.caption and not self.caption and not self.corrected & Corrected.CAPTION:
            self.caption = beside.written.caption
            changed.append("caption")
        return changed

    def keep_corrections(self, now: "Image") -> None:
        """Take over what people said of it meanwhile, which is in the row `now`; nothing is saved."""
        names: list[str] = []
        if now.corrected & Corrected.DATE:
            names += DATE_FIELDS
        if now.corrected & Corrected.PLACE:
            names += ["latitude", "longitude", "place"]
        if now.corrected & Corrected.CAPTION or now.caption:
            names.append("caption")
        for name in names:
            setattr(self, name, getattr(now, name))
        self.corrected = now.corrected
        self.place = self.place or now.place

    def take(self, moment: Moment | None) -> None:
        """Note when it was taken; nothing is saved."""
        self.taken_at = moment.at(timezone.get_default_timezone()) if moment else None
        self.taken_local = moment.local.replace(tzinfo=UTC) if moment else None
        self.taken_offset = moment.offset if moment else None
        self.taken_precision = moment.precision if moment else ""
        self.taken_is_guess = bool(moment and moment.is_guess)

    @property
    def clock(self) -> datetime | None:
        """What the clock showed where it was taken: a time without a zone, which no page converts."""
        return self.taken_local.replace(tzinfo=None) if self.taken_local else None

    @property
    def look(self) -> str:
        """What the addresses of its thumbnails end with, as they are kept: another one once it is turned."""
        return f"?turn={self.turn}" if self.turn else ""

    @property
    def original_name(self) -> str:
        """The name of the original in its storage."""
        return self.original.name or ""

    @property
    def text(self) -> str:
        """What is written in it; '' for nothing, and where nobody looked yet."""
        return self.text_in_image.text if hasattr(self, "text_in_image") else ""

    @property
    def shown_at(self) -> datetime:
        """When it was taken, by the clock there, or, where it does not say, came here."""
        return self.clock or timezone.localtime(self.created_at).replace(tzinfo=None)

    @property
    def is_shown_by_browsers(self) -> bool:
        """Whether browsers show the original itself."""
        return BY_NAME[self.format].shown_by_browsers

    @property
    def css_color(self) -> str:
        """The colour for a style sheet; a grey until the picture was read."""
        return f"#{GREY if self.color is None else self.color:06x}"


class Embedding(models.Model):
    """A picture's unit-length vector, and the extractor that made it.

    Only the same extractor's are comparable.
    """

    class DType(models.TextChoices):
        FLOAT32 = "float32"

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="embeddings")
    extractor = models.CharField(max_length=64, help_text="Its name and version, as in lite/1.")
    dim = models.PositiveSmallIntegerField()
    dtype = models.CharField(max_length=8, choices=DType, default=DType.FLOAT32)
    vector = models.BinaryField()
    log_sum = models.FloatField(
        null=True, help_text="Of what else the picture could show, from Extractor.log_sums."
    )

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        constraints = [
            models.UniqueConstraint(fields=["image", "extractor"], name="embedding_once_per_extractor"),
            models.CheckConstraint(condition=Q(dim__gt=0), name="embedding_has_dimensions"),
            models.CheckConstraint(condition=Q(dtype="float32"), name="embedding_dtype_known"),
        ]

    def __str__(self) -> str:
        return f"{self.extractor} of image {self.image_id}"

    def as_array(self) -> np.ndarray:
        """Return the vector: float32, shape (dim,), unit length.

        Raises ValueError if the blob is not `dim` numbers.
        """
        vector = np.frombuffer(self.vector, dtype=self.dtype)
        if vector.shape != (self.dim,):
            raise ValueError(f"{self}: the blob holds {vector.size} numbers, not {self.dim}")
        return vector
