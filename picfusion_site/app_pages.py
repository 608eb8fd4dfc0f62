"""What makes the site an app on a phone, and the page that explains searching."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from search.query.filters import FILTERS


@login_not_required
@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """Return the Web App Manifest: the site can be installed, and takes pictures that the phone shares."""
    sizes = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"))
    icons = [
        {"src": static(name), "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size, purpose in (*sizes, ("icon-512.png", "512x512", "maskable"))
    ]
    body = {
        "name": "Picfusion",
        "short_name": "Picfusion",
        "description": _("Find your own pictures."),
        "id": reverse("search"),
        "start_url": reverse("search"),
        "scope": reverse("search"),
        "display": "standalone",
        "background_color": "#161514",
        "theme_color": "#1f6f8f",
        "icons": icons,
        # The service worker takes what is shared, and the page of this address asks what to do with it.
        "share_target": {
            "action": reverse("received"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "files", "accept": ["image/*"]}]},
        },
    }
    return JsonResponse(body, content_type="application/manifest+json")


@login_not_required
@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the script that stands between the browser and the network, for the whole site."""
    context = {"style": static("picfusion.css"), "icon": static("icon.svg")}
    return render(request, "service-worker.js", context, content_type="text/javascript; charset=utf-8")


@login_not_required
@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """Return the page that is shown where there is no network; it says nothing of anyone."""
    return render(request, "offline.html")


@require_GET
def received(request: HttpRequest) -> HttpResponse:
    """Ask what to do with the pictures that the phone shared: keep them here, or search by them."""
    return render(request, "received.html")


@login_not_required
@require_GET
def how_to_search(request: HttpRequest) -> HttpResponse:
    """Explain what the bar understands, with examples to try."""
    return render(request, "help.html", {"filters": FILTERS})
