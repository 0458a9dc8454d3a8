"""The installation that the documents are tried on."""

from tests.live.site import _original, site  # noqa: F401 # fixtures
