"""Albums: pictures that several people share."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OrderBy, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Album(models.Model):
    """A titled set of pictures. Its owner and its members see every picture in it."""

    class Order(models.TextChoices):
        ADDED = "added", _("Recently added first")
        DATE = "date", _("By date, oldest first")
        HAND = "hand", _("Custom order")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="albums")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    order = models.CharField(max_length=5, choices=Order, default=Order.ADDED)
    cover = models.ForeignKey(
        "gallery.Image", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    shows_location = models.BooleanField(
        _("Members see where pictures were taken"),
        default=False,
        help_text=_("On the page and in downloaded files."),
    )
    allows_talk = models.BooleanField(_("Comments and hearts under its pictures"), default=True)
    images = models.ManyToManyField("gallery.Image", through="gallery.AlbumImage", related_name="albums")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="gallery.AlbumMember", related_name="member_albums"
    )

    my_role: str | None  # what gallery.access writes beside an album, for the person who asks

    class Meta:
        ordering = ["title", "id"]
        verbose_name = _("album")
        verbose_name_plural = _("albums")
        constraints = [
            models.UniqueConstraint(fields=["owner", "title"], name="album_title_once_per_owner"),
            models.CheckConstraint(condition=~Q(title=""), name="album_has_title"),
            models.CheckConstraint(
                condition=Q(order__in=["added", "date", "hand"]), name="album_order_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("album", args=[self.pk])

    def check_title(self, title: str) -> None:
        """ValidationError if the album's owner calls another album by this title."""
        if Album.objects.filter(owner=self.owner, title=title).exclude(pk=self.pk).exists():
            raise ValidationError(_("You already have an album called '%(title)s'.") % {"title": title})

    def order_of(self, link: str = "", image: str = "image__") -> tuple[OrderBy, ...]:
        """How its pictures are ordered.

        What to sort rows by that reach the AlbumImage by the path `link` and its picture by `image`. By hand,
        those not placed yet come last.
        """
        match self.order:
            case self.Order.DATE:
                return (
                    Coalesce(f"{image}taken_local", f"{image}created_at").asc(),
                    F(f"{image}filename").asc(),
                    F(f"{link}pk").asc(),
                )
            case self.Order.HAND:
                return F(f"{link}position").asc(nulls_last=True), F(f"{link}pk").asc()
        return (F(f"{link}pk").desc(),)


class AlbumImage(models.Model):
    """That a picture is in an album."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="album_images")
    # Found by the index below, which answers by itself in which albums a picture is.
    image = models.ForeignKey(
        "gallery.Image", on_delete=models.CASCADE, related_name="album_images", db_index=False
    )
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    position = models.PositiveIntegerField(
        null=True, editable=False, help_text="Its place in an order by hand."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["album", "image"], name="image_once_per_album")]
        indexes = [models.Index(fields=["image", "album"], name="album_by_image")]

    def __str__(self) -> str:
        return f"image {self.image_id} in album {self.album_id}"


class AlbumMember(models.Model):
    """That a person may see, or do more with, an album that someone else owns."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("Viewer: can see and download")
        CONTRIBUTOR = "contributor", _("Contributor: can add their own pictures")
        EDITOR = "editor", _("Editor: can add, remove, arrange and tag")

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="album_memberships"
    )
    role = models.CharField(max_length=11, choices=Role, default=Role.VIEWER)
    seen_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the person first opened the album; their first page says until then.",
    )

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["album", "user"], name="member_once_per_album"),
            models.CheckConstraint(
                condition=Q(role__in=["viewer", "contributor", "editor"]), name="role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.album} as {self.role}"
