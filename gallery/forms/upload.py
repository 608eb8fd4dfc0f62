"""The admin site's form for a new picture."""

from typing import Any

from django import forms

from gallery import ingest
from gallery.models import Image
from gallery.refusal import RefusedError


class AdminUploadForm(forms.ModelForm):
    """The admin's form for a new picture: whose it becomes, and the file."""

    file = forms.FileField(label="Picture", allow_empty_file=True)

    class Meta:
        model = Image
        fields = ("owner",)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "file" in data and "owner" in data:
            try:
                added = ingest.add(data["owner"], data["file"])
            except RefusedError as refusal:
                raise forms.ValidationError({"file": str(refusal)}) from refusal
            if not added.created:
                raise forms.ValidationError({"file": f"{data['owner']} has this picture already."})
            self.instance = added.image
        return data

    def _post_clean(self) -> None:
        """Nothing to build: gallery.ingest made the instance."""

    def save(self, commit: Any = True) -> Any:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing to save: gallery.ingest did."""
