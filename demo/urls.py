"""Paths of the demo."""

from django.urls import URLPattern, path

from demo import views

urlpatterns: list[URLPattern] = [
    path("demo/", views.home),
    path(views.APP[1:], views.app),
    path("demo/phone/", views.phone),
    path("demo/phone/<path:path>", views.phone),
]
