"""Imports all pages of the admin: Django looks for them in this module."""

from console import clients, delivery_log, event_urls, projects, senders, users  # noqa: F401 # registered by being imported
