"""What people say of a picture."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gallery import corrections
from gallery.imaging.dates import Moment
from gallery.models import Image


class AdminCorrectionForm(forms.ModelForm):
    """What an administrator says of a picture."""

    taken = forms.CharField(
        required=False, max_length=40, help_text="1987, 1987-06, 2024-05-17 or 2024-05-17 10:00."
    )

    class Meta:
        model = Image
        fields = ("caption", "place", "turn")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        image = self.instance
        self.initial["taken"] = corrections.local_text(image.clock, image.taken_precision)
        self.fields["turn"].widget.attrs["max"] = 3

    def clean_taken(self) -> Moment | None:
        return corrections.parse_date(self.cleaned_data["taken"])

    def clean_turn(self) -> int:
        turn: int = self.cleaned_data["turn"]
        if turn > 3:
            raise ValidationError(_("A picture is turned by 0 to 3 quarters."))
        return turn

    def correct(self, image: Image) -> None:
        """Note what was said as what it is: nothing that is read again changes it."""
        images, said = Image.objects.filter(pk=image.pk), self.cleaned_data
        if "caption" in self.changed_data:
            corrections.set_caption(images, said["caption"])
        if "place" in self.changed_data:
            north, east = image.latitude, image.longitude
            known = None if north is None or east is None else (north, east)
            corrections.set_place(images, known, said["place"])
        if "taken" in self.changed_data:
            corrections.set_date(images, said["taken"])
        if "turn" in self.changed_data:
            corrections.turn(images, said["turn"] - self.initial["turn"])


class AdminCorrectManyForm(forms.Form):
    """What an administrator says of many pictures; what is left empty stays as it is."""

    taken = forms.CharField(
        required=False,
        max_length=40,
        help_text="1987, 1987-06 or 2024-05-17 10:00. What is left empty stays as it is.",
    )
    place = forms.CharField(required=False, max_length=200, help_text="Paris, or 48.85, 2.35.")

    def clean_taken(self) -> Moment | None:
        return corrections.parse_date(self.cleaned_data["taken"])

    def clean_place(self) -> Any:
        return corrections.parse_place(self.cleaned_data["place"])

    def correct(self, images: QuerySet[Image]) -> None:
        """Say it."""
        if self.cleaned_data["taken"]:
            corrections.set_date(images, self.cleaned_data["taken"])
        if any(self.cleaned_data["place"]):
            corrections.set_place(images, *self.cleaned_data["place"])


class CaptionForm(forms.ModelForm):
    """What the picture shows, in its owner's words or an editor's."""

    class Meta:
        model = Image
        fields = ("caption",)

    def save(self, commit: bool = True) -> Image:
        """Write the caption alone: the worker may be changing the rest."""
        corrections.set_caption(Image.objects.filter(pk=self.instance.pk), self.cleaned_data["caption"])
        return self.instance
