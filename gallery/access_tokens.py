"""Making and ending API tokens."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from gallery.models import AccessToken
from gallery.refusal import RefusedError

MOST = 50  # of one person


def create(
    user: User, name: str, scope: str = AccessToken.Scope.ALL, expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """Make a token; its key is returned here and never again. RefusedError beyond MOST."""
    if AccessToken.objects.alive().filter(user=user).count() >= MOST:
        raise RefusedError(_("You have %(most)s tokens. Revoke one first.") % {"most": MOST})
    token = AccessToken(user=user, name=name, scope=scope, expires_at=expires_at)
    key = token.new_key()
    token.save()
    return token, key


def revoke_all(user: User) -> int:
    """End all of a person's tokens; how many there were."""
    return AccessToken.objects.filter(user=user).delete()[0]
