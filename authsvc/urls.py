"""All paths of the service (docs/contract.md, sections 4 to 8) except the probes: authsvc.middleware."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("webhooks.urls")),
    path("", include("oidc.urls")),
    path("", include("api.urls")),
    path("", include("login.urls")),
    path("", include("demo.urls")),
]

handler400 = "authsvc.exceptions.bad_request"
handler403 = "authsvc.exceptions.permission_denied"
handler404 = "authsvc.exceptions.not_found"
handler500 = "authsvc.exceptions.server_error"
