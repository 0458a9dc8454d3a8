"""Paths of the hosted pages."""

from django.urls import URLPattern, path

from login import account, sending, views
from login.oidc import authorize, end_session
from oidc import discovery

urlpatterns: list[URLPattern] = [
    path("", account.home),
    path("login/", views.login, name="login"),
    path("login/code/", views.code, name="code"),
    path("login/send/", sending.send, name="send"),
    path("login/cancel/", sending.cancel, name="cancel"),
    path("login/status/", sending.live_state, name="status"),
    path("logout/", account.logout, name="logout"),
    path("account/", account.account, name="account"),
    path(discovery.AUTHORIZE[1:], authorize.authorize),
    path("oauth2/consent/", authorize.consent, name="consent"),
    path(discovery.LOGOUT[1:], end_session.logout),
    path(end_session.CONFIRM[1:], end_session.confirm),
    path("account/apps/", account.revoke_app, name="revoke_app"),
    path("account/sessions/", account.end_sessions, name="end_sessions"),
]
