"""Decisions of the API. Values in, values out."""

from collections.abc import Collection

# `profile` tells nothing that an application with its own screens would show.
_SCOPES = ("openid", "phone", "offline_access")


def scopes(registered: Collection[str]) -> list[str]:
    """What a login without a browser is given: what makes sense for it, of what the client may have."""
    return [scope for scope in _SCOPES if scope in registered]
