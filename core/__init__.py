"""Utilities that every other package may use. Imports none of them."""
