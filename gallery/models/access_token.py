"""Keys with which programs use the API in a person's name."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

PREFIX = "picfusion_"  # so that a key is recognized where it should not be
SHOWN = 16  # characters of a key that its list shows
NOTED = timedelta(hours=1)  # how exactly the last use is known: each note is a write


def digest(key: str) -> str:
    """Return what is kept of a key. It has 256 bits of chance, so one round is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class AccessTokenQuerySet(models.QuerySet):
    def alive(self) -> Any:
        """Those that have not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class AccessToken(models.Model):
    """A key by its digest: who reads the database cannot use it."""

    class Scope(models.TextChoices):
        ALL = "all", _("Everything you may do")
        READ = "read", _("Only read and search")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("Name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    beginning = models.CharField(max_length=SHOWN, editable=False)
    # With a context: the month of May is translated, too.
    scope = models.CharField(
        pgettext_lazy("what a token may do", "May"), max_length=4, choices=Scope, default=Scope.ALL
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("Expires"), null=True, blank=True)
    signed_in = models.BooleanField(default=False, editable=False, help_text="Made by signing in.")
    used_at = models.DateTimeField(null=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="access_token_named")]

    def __str__(self) -> str:
        return self.name

    def new_key(self) -> str:
        """Make up the key, which is told once and not kept; nothing is saved."""
        key = PREFIX + secrets.token_urlsafe(32)
        self.digest, self.beginning = digest(key), key[:SHOWN]
        return key

    def note_use(self) -> None:
        """Note that it was used now, as exactly as NOTED."""
        now = timezone.now()
        if self.used_at is None or now - self.used_at > NOTED:
            AccessToken.objects.filter(pk=self.pk).update(used_at=now)
