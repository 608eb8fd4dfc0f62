"""What Picfusion knows of a person besides Django's user: how much they may keep."""

from django.conf import settings
from django.db import models


class Account(models.Model):
    """A person's quota, and to whom they offer their pictures.

    People without a row, and fields left empty, have the quota of the settings.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account")
    quota_mb = models.PositiveIntegerField(
        "MB of originals", null=True, blank=True, help_text="Empty: as the setting QUOTA_MB says."
    )
    quota_pictures = models.PositiveIntegerField(
        "pictures", null=True, blank=True, help_text="Empty: as the setting QUOTA_PICTURES says."
    )

    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="offers",
        help_text="Who is asked to take this person's pictures, whereupon the account is deleted.",
    )

    def __str__(self) -> str:
        return f"quota of {self.user}"
