"""Forms for accounts: registering, changing, deleting."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _


class RegistrationForm(BaseUserCreationForm):
    """A new account: its user name, a mail address for a forgotten password, and the password twice."""

    email = forms.EmailField(
        label=_("Email address"),
        required=False,
        help_text=_("For a new password, and to tell you what is shared with you."),
    )

    class Meta(BaseUserCreationForm.Meta):
        model = get_user_model()
        fields = ("username", "email")


class AccountForm(forms.ModelForm):
    """What a person may change of their own account."""

    class Meta:
        model = get_user_model()
        fields = ("email",)
        labels = {"email": _("Email address")}
        help_texts = {"email": _("For a new password, and to tell you what is shared with you.")}


class DeleteAccountForm(forms.Form):
    """What becomes of an account's pictures: permanently deleted, or transferred to another person."""

    pictures = forms.ChoiceField(
        label=_("Pictures and albums"),
        choices=[("delete", _("Delete permanently")), ("hand over", _("Transfer to another user"))],
        widget=forms.RadioSelect,
    )
    to = forms.CharField(label=_("New owner's username"), required=False, max_length=150)
    password = forms.CharField(label=_("Your password"), widget=forms.PasswordInput)

    def __init__(self, *args, person: User, by: User, **kwargs) -> None:
        """Ask how the account of `person` is deleted; `by`, who asks for it, may be the same person."""
        super().__init__(*args, **kwargs)
        self.person, self.by = person, by
        self.receiver: User | None = None

    def clean_password(self) -> str:
        if not self.by.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("Wrong password."))
        return ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("pictures") == "hand over":
            others = get_user_model().objects.filter(is_active=True).exclude(pk=self.person.pk)
            self.receiver = others.filter(username=data.get("to", "")).first()
            if self.receiver is None:
                self.add_error("to", _("No other user has this name."))
        return data
