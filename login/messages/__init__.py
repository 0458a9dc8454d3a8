"""Texts of the login pages that depend on a state, an error or an application. Fixed texts are in templates."""
