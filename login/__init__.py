"""Hosted pages: log in with a phone, the account page, sessions."""
