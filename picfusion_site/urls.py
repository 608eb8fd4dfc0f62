from django.contrib import admin
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, reverse_lazy
from django.views.i18n import JavaScriptCatalog, set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from gallery.views import sign_in
from picfusion_site import app_pages, views

urlpatterns = [
    path("", include("search.urls")),
    path("", include("gallery.urls")),
    path("accounts/login/", sign_in.SignInView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password/", sign_in.PasswordView.as_view(), name="password_change"),
    path("accounts/reset/", sign_in.ResetView.as_view(), name="password_reset"),
    path("accounts/reset/sent/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "accounts/reset/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(post_reset_login=True, success_url=reverse_lazy("search")),
        name="password_reset_confirm",
    ),
    path("admin/", admin.site.urls),
    path("account/language", login_not_required(set_language), name="set_language"),
    path("help/", app_pages.how_to_search, name="help"),
    path("manifest.webmanifest", app_pages.manifest, name="manifest"),
    path("service-worker.js", app_pages.service_worker, name="service-worker"),
    path("offline/", app_pages.offline, name="offline"),
    path("received/", app_pages.received, name="received"),
    # The texts of scripts, in the page's language.
    path("texts.js", login_not_required(JavaScriptCatalog.as_view(domain="djangojs")), name="texts"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.metrics, name="metrics"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", include("picfusion_site.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
]

handler400 = views.bad_request
handler404 = views.not_found
handler500 = views.server_error
