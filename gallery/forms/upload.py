"""The admin site's form for new pictures."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from gallery import album_filling, ingest
from gallery.forms.admin_actions import SeveralFilesField
from gallery.models import Album, AlbumImage, Image
from gallery.refusal import RefusedError


class AdminUploadForm(forms.ModelForm):
    """Whose the pictures become, the files, and an album of that person's to put them into."""

    file = SeveralFilesField(
        label="Pictures", allow_empty_file=True, help_text="Choose or drop as many as you like."
    )
    album = forms.ModelChoiceField(
        Album.objects.all(),
        required=False,
        widget=AutocompleteSelect(AlbumImage._meta.get_field("album"), admin.site),
    )

    class Meta:
        model = Image
        fields = ("owner",)

    def clean(self) -> dict[str, Any]:
        """Take in what can be taken; an error names each file that cannot, and tells of the others."""
        data = super().clean() or {}
        if "file" not in data or "owner" not in data or "album" not in data:
            return data
        album, owner = data["album"], data["owner"]
        if album and album.owner != owner:
            raise forms.ValidationError({"album": f"This album is not {owner}'s."})
        added, refused = [], []
        for file in data["file"]:
            try:
                taken = ingest.add(owner, file)
            except RefusedError as refusal:
                refused.append(f"{file.name}: {refusal}")
                continue
            added.append(taken.image)
            if not taken.created and len(data["file"]) == 1:
                refused.append(f"{owner} has this picture already.")
        if album:
            album_filling.put(album, [image.pk for image in added], owner)
        if refused:
            rest = [f"The other {len(added)} were added."] if added and len(data["file"]) > 1 else []
            raise forms.ValidationError({"file": [*refused, *rest]})
        self.instance = added[-1]
        return data

    def _post_clean(self) -> None:
        """Nothing to build: gallery.ingest made the instance."""

    def save(self, commit: Any = True) -> Any:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing to save: gallery.ingest did."""
