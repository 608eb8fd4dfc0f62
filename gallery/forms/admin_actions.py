"""What the admin site asks for before it does something with many pictures."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from gallery.models import Album, AlbumImage, Image
from gallery.models.tag import MAX_TAG_LENGTH, normalize


class TagForm(forms.Form):
    tag = forms.CharField(max_length=MAX_TAG_LENGTH)

    def clean_tag(self) -> str:
        return normalize(self.cleaned_data["tag"])


class AlbumChoiceForm(forms.Form):
    album = forms.ModelChoiceField(
        Album.objects.all(), widget=AutocompleteSelect(AlbumImage._meta.get_field("album"), admin.site)
    )


class OwnerForm(forms.Form):
    owner = forms.ModelChoiceField(
        get_user_model().objects.filter(is_active=True),
        widget=AutocompleteSelect(Image._meta.get_field("owner"), admin.site),
    )


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One or many files."""

    widget = SeveralFiles(attrs={"multiple": True})

    def clean(self, data: object, initial: object = None) -> object:
        files = data if isinstance(data, list | tuple) else [data]
        if not files:
            raise ValidationError(self.error_messages["required"], code="required")
        return [super(SeveralFilesField, self).clean(own, initial) for own in files]
