"""Share links: an album, a picture or a selection, shown to people without an account."""

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gallery.models.secret_address import SecretAddress

TERMS = [
    "title", "password", "expires_at", "allow_download", "shows_location", "allow_uploads", "has_preview",
]  # fmt: skip
MOST_IMAGES = 500  # single pictures in one link


class ShareLink(SecretAddress):
    """An unguessable address that shows an album as it is at the moment, or some of its owner's pictures."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="share_links")
    album = models.ForeignKey(
        "gallery.Album", on_delete=models.CASCADE, null=True, blank=True, related_name="share_links"
    )
    images = models.ManyToManyField("gallery.Image", related_name="share_links", blank=True)
    title = models.CharField(max_length=200)
    password = models.CharField(max_length=128, blank=True, editable=False)
    allow_download = models.BooleanField(_("Allow downloading originals"), default=False)
    shows_location = models.BooleanField(_("Keep the location in downloaded files"), default=False)
    allow_uploads = models.BooleanField(
        _("Guests may add pictures"),
        default=False,
        help_text=_("They wait for you to accept them. Guests need no account."),
    )
    has_preview = models.BooleanField(
        _("Show the title and a picture where the link is posted"), default=True
    )
    views = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        constraints = [models.CheckConstraint(condition=~Q(title=""), name="share_link_has_title")]

    def __str__(self) -> str:
        return self.title

    def save_terms(self) -> None:
        """Save what its owner says of it, and leave what happened meanwhile: views, or that it ended."""
        self.save(update_fields=TERMS)

    def set_password(self, password: str) -> None:
        """Ask for this password before anything is shown; '' for none."""
        self.password = make_password(password) if password else ""

    def check_password(self, password: str) -> bool:
        """Whether this is the password."""
        return check_password(password, self.password)
