"""Clients and signing keys in the admin. Tokens are nobody's business: django-oauth-toolkit's pages for them go."""

from django.contrib import admin
from oauth2_provider.models import get_id_token_model
from unfold.admin import ModelAdmin

from oidc.models import AccessToken, AuthorizationCode, Client, RefreshToken

for model in (AccessToken, AuthorizationCode, Client, RefreshToken, get_id_token_model()):
    admin.site.unregister(model)


@admin.register(Client)
class ClientAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    list_display = ("client_id", "name", "project", "client_type", "is_active")
