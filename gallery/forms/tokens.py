"""A new API token."""

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.models import AccessToken


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    name = forms.CharField(
        label=_("What is it for?"), max_length=100, help_text=_("The phone app, the backup script…")
    )
    scope = forms.ChoiceField(label=_("It may"), choices=AccessToken.Scope.choices)
    days = forms.IntegerField(
        label=_("Days until it expires"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("Empty for never."),
    )
