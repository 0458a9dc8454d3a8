"""All paths of the service (interface.md sections 4 to 8)."""

from django.contrib import admin
from django.urls import include, path

from authsvc import health, scrape

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", scrape.metrics),
    path("", include("webhooks.urls")),
    path("", include("login.urls")),
]
