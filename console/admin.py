"""Imports all pages of the admin: Django looks for them in this module."""

from console import (  # noqa: F401 # registered by being imported
    audit,
    clients,
    delivery_log,
    event_urls,
    login_methods,
    members,
    prices,
    projects,
    rehearsals,
    senders,
    stats_tokens,
    users,
)
