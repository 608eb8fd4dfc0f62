from django.urls import path

from search import views

urlpatterns = [
    path("", views.home, name="search"),
    path("query-picture/<slug:key>", views.query_picture, name="query-picture"),
]
