"""Making and ending API tokens."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.models import AccessToken
from gallery.refusal import RefusedError

MOST = 50  # of one person
MOST_ALIKE = 10  # of one name, made by signing in
EXPIRED = timedelta(days=7)  # for which the list shows that a token has expired


def create(
    user: User,
    name: str,
    scope: str = AccessToken.Scope.ALL,
    expires_at: datetime | None = None,
    signed_in: bool = False,
) -> tuple[AccessToken, str]:
    """Make a token; its key is returned here and never again. RefusedError beyond MOST."""
    if AccessToken.objects.alive().filter(user=user).count() >= MOST:
        raise RefusedError(_("You have %(most)s tokens. Revoke one first.") % {"most": MOST})
    token = AccessToken(user=user, name=name, scope=scope, expires_at=expires_at, signed_in=signed_in)
    key = token.new_key()
    token.save()
    return token, key


def sign_in(user: User, name: str) -> tuple[AccessToken, str]:
    """Make a token for a program that signed in with a password.

    Of those of its name the one that was not used for longest goes: a script that signs in each time never
    fills its person's list.
    """
    alike = AccessToken.objects.filter(user=user, name=name, signed_in=True)
    latest = alike.order_by(Coalesce("used_at", "created_at").desc(), "-pk").values_list("pk", flat=True)
    AccessToken.objects.filter(pk__in=list(latest[MOST_ALIKE - 1 :])).delete()
    return create(user, name, signed_in=True)


def forget_expired() -> str:
    """Remove the tokens that expired a while ago. The worker does it daily."""
    count, _ = AccessToken.objects.filter(expires_at__lt=timezone.now() - EXPIRED).delete()
    return f"{count} tokens removed"


def revoke_all(user: User) -> int:
    """End all of a person's tokens; how many there were."""
    return AccessToken.objects.filter(user=user).delete()[0]
