"""Addresses that nobody guesses.

What they open is found by a hash: whoever reads the database cannot open them.
"""

import hashlib
import secrets
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone


def hash_of(token: str) -> str:
    """Return what is kept of a token: its SHA-256 in hex. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class SecretAddressQuerySet(models.QuerySet):
    def alive(self) -> Any:
        """Those that are not over: `ended_at` is empty and `expires_at` is not past."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), ended_at=None)

    def of(self, token: str) -> Any:
        """Return the valid one with this token, or none."""
        return self.alive().filter(token_hash=hash_of(token)).first()


class SecretAddress(models.Model):
    """Something that an unguessable address opens, for a while."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was revoked or used up."
    )

    objects = SecretAddressQuerySet.as_manager()

    class Meta:
        abstract = True

    def new_token(self) -> str:
        """Give it a token of 128 bits, which is known now and never again: only its hash is kept."""
        token = secrets.token_urlsafe(16)
        self.token_hash = hash_of(token)
        return token

    @property
    def is_alive(self) -> bool:
        """Whether its address still opens it."""
        return self.ended_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def has_expired(self) -> bool:
        """Whether its time is up and nobody ended it before."""
        return self.ended_at is None and not self.is_alive

    def end(self) -> None:
        """Nobody comes in by it any more, from now on."""
        self.ended_at = timezone.now()
        self.save(update_fields=["ended_at"])
