"""Which model reads the pictures, and better ones a click away: for the person who runs the site."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_q.tasks import async_task

from gallery import access, audit, extractor_switch, model_downloads
from gallery.extraction import registry
from gallery.views.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def models_page(request: SignedInRequest) -> HttpResponse:
    """Show a card for each extractor; a form fetches, cancels, switches or deletes."""
    if not access.may_choose_extractor(request.user):
        raise Http404
    if request.method == "POST":
        return _act(request.POST.get("action", ""), request.POST.get("extractor", ""))
    progress = extractor_switch.progress()
    serving, target = (key.partition("/")[0] for key in (progress.serving, progress.target))
    cards = [
        {
            "name": name,
            "is_there": registry.describe(name) is not None,
            "is_serving": name == serving,
            "is_next": name == target and progress.is_switching,
            "may_be_deleted": name in model_downloads.SIZES and not model_downloads.is_in_use(name),
            "gigabytes": model_downloads.SIZES.get(name, 0) / 1e9,
            "minutes": round(progress.total / rate / 60) or 1,
        }
        for name, rate in model_downloads.RATES.items()
    ]
    context = {
        "cards": cards,
        "progress": progress,
        "download": model_downloads.latest(),
        "is_fixed": settings.EXTRACTOR != "auto",
        "clip_model": settings.CLIP_MODEL,
    }
    return render(request, "gallery/models.html", context)


def _act(action: str, extractor: str) -> HttpResponse:
    if extractor not in registry.EXTRACTORS:
        raise BadRequest(_("There is no such model."))
    if action == "cancel":
        model_downloads.cancel()
    elif action == "choose" and registry.describe(extractor):
        registry.choose(extractor)
        audit.note("model chosen", extractor)
        async_task("gallery.tasks.extract_pending", group="extraction")
    elif action == "download" and extractor in model_downloads.SIZES:
        model_downloads.start(extractor)
    elif action == "delete" and extractor in model_downloads.SIZES:
        try:
            model_downloads.delete(extractor)
        except model_downloads.ServingError:
            raise BadRequest(_("Pictures are searched by this model: use another one first.")) from None
    else:
        raise BadRequest(_("The action must be download, cancel, choose or delete."))
    return redirect("models")
