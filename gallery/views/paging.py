"""Pages of lists, for people.

A list that goes on below adds page after page; its address then says from which page on it is shown
(`from`), so that whoever comes back to it finds all of them, at the same height.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from gallery.numbers import whole_number

MOST_AT_ONCE = 20  # pages in one answer; the ones before are loaded from a link above
PICTURES = 60  # on a page of Browse, of an album and of the trash
RESULTS = 30  # on a page of a search's results
OWN = ("page", "from")  # parameters of an address that say which part of a list it shows


class Stretch(Page):
    """A page of a list, and those before it that the address asks for, too."""

    def __init__(self, object_list: Sequence, number: int, paginator: Paginator, first: int) -> None:
        super().__init__(object_list, number, paginator)
        self.first = first  # the page that the window's list begins with

    def has_previous(self) -> bool:
        return self.first > 1

    def previous_page_number(self) -> int:
        return self.first - 1

    def start_index(self) -> int:
        """Return the place of the first item in the whole list, from 1 on."""
        return self.end_index() - len(self.object_list) + 1


def page_of(request: HttpRequest, items: Any, per_page: int) -> Stretch:
    """Return the page of `items` that `?page=` names; BadRequest where it names none."""
    paginator = Paginator(items, per_page)
    try:
        number = paginator.validate_number(request.GET.get("page") or 1)
    except PageNotAnInteger as error:
        raise BadRequest(_("The page must be a whole number.")) from error
    except EmptyPage as error:
        raise BadRequest(_("There is no such page.")) from error
    first = first_page(request.GET, number)
    shown = items[(first - 1) * per_page : min(number * per_page, paginator.count)]
    return Stretch(shown, number, paginator, first)


def first_page(parameters: QueryDict, number: int) -> int:
    """Return the first page that is shown, of an address that shows page `number` as its last one."""
    first = whole_number(parameters.get("from", ""), least=1) or number
    return max(min(first, number), number - MOST_AT_ONCE + 1)


def without_page(parameters: QueryDict) -> str:
    """Return the parameters of an address, but for those that say which part of the list it shows."""
    rest = parameters.copy()
    for name in OWN:
        rest.pop(name, None)
    return rest.urlencode()
