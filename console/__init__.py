"""The admin: what staff see."""
