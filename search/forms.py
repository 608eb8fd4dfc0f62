"""Forms for searches."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import access
from gallery.access import AnyUser
from gallery.imaging import formats
from gallery.views.requests import SignedInRequest
from search.models import QueryPicture, SavedSearch
from search.query.address import from_address, to_address
from search.query.errors import QueryError
from search.query.query import Query


class SavedSearchForm(forms.ModelForm):
    """A name for the query in `address`."""

    address = forms.CharField(max_length=8000, widget=forms.HiddenInput)

    class Meta:
        model = SavedSearch
        fields = ("name", "address")

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if (
            SavedSearch.objects.filter(owner=self.instance.owner, name=name)
            .exclude(pk=self.instance.pk)
            .exists()
        ):
            raise forms.ValidationError(_("You already have a search called '%(name)s'.") % {"name": name})
        return name

    def clean_address(self) -> str:
        """Return the address without what is no part of the query, as its page or its order of parameters."""
        try:
            self.query = from_address(QueryDict(self.cleaned_data["address"]))
        except QueryError as error:
            raise forms.ValidationError(str(error)) from error
        if not self.query:
            raise forms.ValidationError(_("This search is empty."))
        parameters = QueryDict(mutable=True)
        for key, value in to_address(self.query):
            parameters.appendlist(key, str(value))
        return parameters.urlencode()

    def _save_m2m(self) -> None:
        self.instance.pictures.set(QueryPicture.objects.alive().filter(key__in=self.query.picture_keys))


COLORS = {
    "red": gettext_lazy("red"),
    "orange": gettext_lazy("orange"),
    "yellow": gettext_lazy("yellow"),
    "green": gettext_lazy("green"),
    "blue": gettext_lazy("blue"),
    "purple": gettext_lazy("purple"),
    "pink": gettext_lazy("pink"),
    "brown": gettext_lazy("brown"),
    "black": gettext_lazy("black"),
    "white": gettext_lazy("white"),
    "grey": gettext_lazy("grey"),
}
MOST_ALBUMS = 500  # in the form; others are found by their titles in the bar


class FilterForm(forms.Form):
    """What the bar's filters ask for, to be chosen: every field is one of search.query.filters."""

    prefix = "filter"
    after = forms.DateField(label=gettext_lazy("Taken from"), widget=forms.DateInput({"type": "date"}))
    before = forms.DateField(label=gettext_lazy("Taken before"), widget=forms.DateInput({"type": "date"}))
    album = forms.ChoiceField(label=gettext_lazy("Album"))
    owner = forms.ChoiceField(label=gettext_lazy("Whose"))
    place = forms.CharField(label=gettext_lazy("Place"), max_length=100)
    camera = forms.CharField(label=gettext_lazy("Camera"), max_length=100)
    color = forms.ChoiceField(label=gettext_lazy("Colour"), choices=[("", "–"), *COLORS.items()])
    format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=[("", "–"), *((name, name) for name in formats.BY_NAME)]
    )
    favourite = forms.BooleanField(label=gettext_lazy("Favourites"))
    untagged = forms.BooleanField(label=gettext_lazy("Without tags"))

    def __init__(self, *args: Any, person: AnyUser, query: Query | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        titles = access.visible_albums(person).order_by("title").values_list("title", flat=True)
        self._choose("album", titles.distinct()[:MOST_ALBUMS])
        self._choose("owner", access.people_who_share_with(person).values_list("username", flat=True))
        for name, field in self.fields.items():
            field.required = False
            # What was changed counts: of the rest, some may have left the bar meanwhile.
            field.show_hidden_initial = True
            if query and (value := self._written(query, name)):
                self.initial[name] = value

    def _written(self, query: Query, name: str) -> Any:
        """Return what the query asks for, as this field shows it; None for nothing that it could show."""
        value = query.filters.get(name)
        field = self.fields[name]
        if isinstance(field, forms.DateField):
            return str(value) + "-01-01"[len(str(value)) - 4 :] if value else None  # a year is its first day
        if isinstance(field, forms.ChoiceField):
            choices: list[tuple[str, str]] = field.widget.choices
            return next((name for name, _label in choices if name.lower() == str(value).lower()), None)
        return value

    def _choose(self, name: str, values: Iterable[str]) -> None:
        self.fields[name].choices = [("", "–"), *((value, value) for value in values)]  # type: ignore[attr-defined]

    @classmethod
    def chosen(cls, request: SignedInRequest) -> dict[str, str]:
        """Return what was changed by the filters' names, as the bar writes it, '' for what was emptied.

        QueryError for what can't be.
        """
        form = cls(request.POST, person=request.user)
        changed = set(form.changed_data)
        for name, errors in form.errors.items():
            raise QueryError(name, f"{form[name].label}: {errors[0]}")
        return {
            name: name if value is True else str(value or "")
            for name, value in form.cleaned_data.items()
            if name in changed
        }
