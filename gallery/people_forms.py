"""Forms for people: accounts, invitations and share links."""

from datetime import timedelta

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import Invitation, ShareLink

DAYS = {1: _("a day"), 7: _("a week"), 30: _("a month"), 365: _("a year")}

AS_IT_IS = -1


class RegistrationForm(BaseUserCreationForm):
    """A new account: its user name, a mail address for a forgotten password, and the password twice."""

    email = forms.EmailField(
        label=_("Mail address"), required=False, help_text=_("Needed only to get in again with a forgotten password.")
    )

    class Meta(BaseUserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")


class AccountForm(forms.ModelForm):
    """What a person may change of their own account."""

    class Meta:
        model = get_user_model()
        fields = ("email",)
        labels = {"email": _("Mail address")}
        help_texts = {"email": _("Needed only to get in again with a forgotten password.")}


class InvitationForm(forms.ModelForm):
    """For whom an invitation is, and how long it stays open."""

    days = forms.TypedChoiceField(label=_("Open for"), choices=list(DAYS.items())[:3], coerce=int, initial=7)

    class Meta:
        model = Invitation
        fields = ("note",)
        labels = {"note": _("For whom")}
        help_texts = {"note": ""}

    def clean(self):
        data = super().clean()
        if "days" in data:
            self.instance.expires_at = timezone.now() + timedelta(days=data["days"])
        return data


class ShareLinkForm(forms.ModelForm):
    """What a share link is called and allows. An empty password leaves the one it has, or none."""

    password = forms.CharField(
        label=_("Password, if you want one"),
        required=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    days = forms.TypedChoiceField(
        label=_("Open for"), choices=[(0, _("as long as I want")), *DAYS.items()], coerce=int, initial=30
    )

    class Meta:
        model = ShareLink
        fields = ("title", "allow_download", "shows_location")
        labels = {"title": _("Title")}

    field_order = ("title", "days", "password", "allow_download", "shows_location")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # its end is only moved when somebody says so
            self.fields["days"].choices = [(AS_IT_IS, _("as it is")), *self.fields["days"].choices]
            self.fields["days"].initial = AS_IT_IS

    def clean(self):
        data = super().clean()
        if data.get("days", AS_IT_IS) != AS_IT_IS:
            self.instance.expires_at = timezone.now() + timedelta(days=data["days"]) if data["days"] else None
        if data.get("password"):
            self.instance.set_password(data["password"])
        return data


class DeleteAccountForm(forms.Form):
    """What becomes of an account's pictures: gone for good, or another person's."""

    pictures = forms.ChoiceField(
        label=_("The pictures and albums"),
        choices=[("delete", _("are deleted for good")), ("hand over", _("are handed over to"))],
        widget=forms.RadioSelect,
    )
    to = forms.CharField(label=_("User name of who gets them"), required=False, max_length=150)
    password = forms.CharField(label=_("Your own password"), widget=forms.PasswordInput)

    def __init__(self, *args, person, by, **kwargs):
        """The account of `person` goes, asked for by `by`, who may be the same."""
        super().__init__(*args, **kwargs)
        self.person, self.by, self.receiver = person, by, None

    def clean_password(self):
        if not self.by.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        return ""

    def clean(self):
        data = super().clean()
        if data.get("pictures") == "hand over":
            others = get_user_model().objects.filter(is_active=True).exclude(pk=self.person.pk)
            self.receiver = others.filter(username=data.get("to", "")).first()
            if self.receiver is None:
                self.add_error("to", _("There is nobody else of this name."))
        return data
