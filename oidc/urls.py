"""URLs of the endpoints that programs call (docs/contract.md, section 5)."""

from django.urls import URLPattern, path

from oidc import discovery, views

urlpatterns: list[URLPattern] = [
    path(".well-known/openid-configuration", views.openid_configuration),
    path(".well-known/oauth-authorization-server", views.openid_configuration),
    path(discovery.JWKS[1:], views.jwks),
    path(discovery.TOKEN[1:], views.token),
    path(discovery.PUSH[1:], views.push),
    path(discovery.USERINFO[1:], views.userinfo),
    path(discovery.REVOKE[1:], views.revoke),
    path(discovery.INTROSPECT[1:], views.introspect),
]
