"""Paths that providers call (docs/contract.md, section 7). No trailing slash: providers follow no redirect."""

from django.urls import path

from webhooks.registry import WEBHOOKS
from webhooks.views import view_of

urlpatterns = [path(at.removeprefix("/"), view_of(webhook)) for at, webhook in WEBHOOKS.items()]
