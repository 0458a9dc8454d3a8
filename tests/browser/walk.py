"""A member of staff at one window, whose clicks are counted."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

MOST_CLICKS = 25  # from an empty database to a first login


@dataclass
class Walk:
    page: Page
    clicks: int = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def press(self, name: str, *, exact: bool = False) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=exact))

    def follow(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True))

    def choose(self, target: Locator, value: str) -> None:
        target.select_option(value)
        self.clicks += 2  # open the list, take one

    @property
    def states(self) -> list[str | None]:
        """Of the set-up list's steps."""
        return [item.get_attribute("data-state") for item in self.page.locator("[data-step]").all()]


def fits(page: Page) -> bool:
    """Nothing is wider than the window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return not wide
