"""Providers: one module each. It builds the request, reads the answer, and translates the provider's words."""
