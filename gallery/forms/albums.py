"""Forms for albums and their members."""

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from gallery import access
from gallery.models import Album, AlbumMember


class AlbumForm(forms.ModelForm):
    """An album's title, description and order, and for its owner whether places are told and people talk.

    The instance must have its owner, who cannot use a title twice.
    """

    class Meta:
        model = Album
        fields = ("title", "description", "order", "shows_location", "allows_talk")
        labels = {"title": _("Title"), "description": _("Description"), "order": _("Order")}
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args, person: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["order"].required = False
        if not access.may_tell_location(person, self.instance):
            del self.fields["shows_location"], self.fields["allows_talk"]

    def clean_order(self) -> str:
        return self.cleaned_data["order"] or self.instance.order

    def clean_title(self) -> str:
        title = self.cleaned_data["title"]
        self.instance.check_title(title)
        return title


class MemberForm(forms.Form):
    """A person by user name, and a role in an album."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        widget=forms.TextInput({"list": "people", "autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=AlbumMember.Role)

    def __init__(self, *args, album: Album, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.album = album

    def clean_username(self) -> str:
        name = self.cleaned_data["username"]
        person = get_user_model().objects.filter(username=name, is_active=True).first()
        if person is None:
            raise forms.ValidationError(_("There is no user named '%(name)s'.") % {"name": name})
        if person.pk == self.album.owner_id:
            raise forms.ValidationError(_("The owner can't be added as a member."))
        self.person = person
        return name
