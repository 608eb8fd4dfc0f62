"""Everything under /api/v1/."""

from django.urls import include, path
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.throttling import ScopedRateThrottle


class TokenView(ObtainAuthToken):
    """Trade a user name and password for an API token; slowed down so that passwords cannot be guessed."""

    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "token"


urlpatterns = [
    path("token/", TokenView.as_view(), name="api-token"),
    path("", include("gallery.api.urls")),
    path("", include("search.api_urls")),
]
