"""The form for an invitation."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.forms.share_links import DAYS
from gallery.models import Invitation


class InvitationForm(forms.ModelForm):
    """For whom an invitation is, and how long it stays open."""

    days = forms.TypedChoiceField(label=_("Valid for"), choices=list(DAYS.items())[:3], coerce=int, initial=7)

    class Meta:
        model = Invitation
        fields = ("note",)
        labels = {"note": _("Who is it for?")}
        help_texts = {"note": ""}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "days" in data:
            self.instance.expires_at = timezone.now() + timedelta(days=data["days"])
        return data
