"""The browser and system that a User-Agent names, as a hint on the account page."""

# The first match wins: nearly every browser also claims to be Chrome or Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str:
    """Such as "Firefox"; "" when unknown."""
    return next((name for mark, name in _BROWSERS if mark in user_agent), "")


def system(user_agent: str) -> str:
    return next((name for mark, name in _SYSTEMS if mark in user_agent), "")
