"""What people say of a picture."""

from django import forms

from gallery.models import Image


class CaptionForm(forms.ModelForm):
    """What the picture shows, in its owner's words or an editor's."""

    class Meta:
        model = Image
        fields = ("caption",)

    def save(self, commit: bool = True) -> Image:
        """Write the caption alone: the worker may be changing the rest."""
        self.instance.save(update_fields=["caption"])
        return self.instance
