"""Sending one message over one channel: senders, their secrets, provider backends. No Celery, no challenges."""
