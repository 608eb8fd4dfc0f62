"""Forms for searches."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from search.models import QueryPicture, SavedSearch
from search.query.address import from_address, to_address
from search.query.errors import QueryError


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
