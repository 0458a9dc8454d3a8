"""Paths of the hosted pages."""

from django.urls import URLPattern, path

from login import account, authorize, demo, end_session, views
from oidc import discovery

urlpatterns: list[URLPattern] = [
    path("", account.home),
    path("login/", views.login, name="login"),
    path("login/code/", views.code, name="code"),
    path("login/send/", views.send, name="send"),
    path("login/cancel/", views.cancel, name="cancel"),
    path("login/status/", views.live_state, name="status"),
    path("logout/", account.logout, name="logout"),
    path("account/", account.account, name="account"),
    path(discovery.AUTHORIZE[1:], authorize.authorize),
    path("oauth2/consent/", authorize.consent, name="consent"),
    path(discovery.LOGOUT[1:], end_session.logout),
    path(end_session.CONFIRM[1:], end_session.confirm),
    path("account/apps/", account.revoke_app, name="revoke_app"),
    path("account/sessions/", account.end_sessions, name="end_sessions"),
    path("demo/", demo.home),
    path(demo.APP[1:], demo.app),
    path("demo/phone/", demo.phone),
    path("demo/phone/<path:path>", demo.phone),
]
