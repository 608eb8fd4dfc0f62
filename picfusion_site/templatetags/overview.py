"""What the admin site's front page says."""

from django import template

from picfusion_site import overview

register = template.Library()
register.simple_tag(overview.overview, name="site_overview")
