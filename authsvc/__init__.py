"""Composition root: settings, URLs, processes and operator commands. Nothing imports this package."""
