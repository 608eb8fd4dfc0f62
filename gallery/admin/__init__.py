"""The admin site. Tables of frameworks, which nobody needs to see, are out of the way."""

from django.contrib import admin
from django.utils.translation import gettext_lazy
from django_q.models import Failure, OrmQ, Schedule, Success

from gallery.admin import albums, images, people, tags
from gallery.forms.sign_in import ThrottledAdminForm

__all__ = ["albums", "images", "people", "tags"]  # each registers its own

admin.site.site_header = admin.site.site_title = "Picfusion"
admin.site.index_title = gettext_lazy("Administration")
admin.site.login_form = ThrottledAdminForm
for table in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(table):
        admin.site.unregister(table)
