"""What the pages of the admin cost: no page of it asks the database more than fifteen times."""

from tests.console.roles.support import MODELS, object_pages, root, signed_in, site_pages
from tests.statements import statements

MOST = 15
# Transactions, and the version of the configuration, which is asked of Redis where there is one.
_FREE = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", 'SELECT "projects_configversion"')


def test_no_page_asks_more_than_fifteen_times(secrets: list[str]) -> None:
    """As a superuser, who sees everything, after a second factor, as in production."""
    browser = signed_in("superuser")
    session = browser.session
    session["staff_factor"] = "totp"
    session.save()
    pages = [page for model in MODELS for page in (root(model), *object_pages(model))]
    browser.get("/admin/")  # the configuration is in memory from here on

    costly = {}
    for page in dict.fromkeys((*pages, *site_pages())):
        with statements() as sent:
            browser.get(page)
        asked = [line for line in sent if not line.startswith(_FREE)]
        if len(asked) > MOST:
            costly[page] = "\n  ".join([str(len(asked)), *(line[:100] for line in asked)])

    assert not costly, "\n".join(f"{page}: {text}" for page, text in costly.items())
