"""Simulated handsets: how each takes messages, what it shows, and the page that displays it."""
