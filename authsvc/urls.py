"""All paths of the service (interface.md sections 4 to 8) but those that machines ask: authsvc.probes."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("webhooks.urls")),
    path("", include("oidc.urls")),
    path("", include("api.urls")),
    path("", include("login.urls")),
]

handler400 = "authsvc.exceptions.bad_request"
handler500 = "authsvc.exceptions.server_error"
