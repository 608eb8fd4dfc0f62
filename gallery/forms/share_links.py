"""The form for a share link."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import ShareLink

DAYS = {1: _("a day"), 7: _("a week"), 30: _("a month"), 365: _("a year")}

AS_IT_IS = -1


class ShareLinkForm(forms.ModelForm):
    """What a share link is called and allows. An empty password leaves the one it has, or none."""

    password = forms.CharField(
        label=_("Password (optional)"),
        required=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"), choices=[(0, _("Never expires")), *DAYS.items()], coerce=int, initial=30
    )

    class Meta:
        model = ShareLink
        fields = ("title", "allow_download", "shows_location", "allow_uploads", "has_preview")
        labels = {"title": _("Title")}

    field_order = (
        "title", "days", "password", "allow_download", "shows_location", "allow_uploads", "has_preview"
    )  # fmt: skip

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.album_id is None:  # guests fill albums alone
            del self.fields["allow_uploads"]
        if self.instance.pk:  # its end is only moved when somebody says so
            days = cast(forms.TypedChoiceField, self.fields["days"])
            days.choices = [(AS_IT_IS, _("Keep current")), (0, _("Never expires")), *DAYS.items()]
            days.initial = AS_IT_IS

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("days", AS_IT_IS) != AS_IT_IS:
            self.instance.expires_at = timezone.now() + timedelta(days=data["days"]) if data["days"] else None
        if data.get("password"):
            self.instance.set_password(data["password"])
        return data
