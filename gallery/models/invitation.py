"""Invitations: an address by which one person makes an account of their own."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.secret_address import SecretAddress


class Invitation(SecretAddress):
    """Made by an administrator, good for one account. It has ended when it was revoked or used."""

    note = models.CharField(max_length=200, blank=True, help_text="For whom it is.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="Who came by it.",
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.note or f"invitation {self.pk}"
