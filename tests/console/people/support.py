"""The pages of one user."""

from typing import Any

from django.test import Client

from users.models import User

USERS = "/admin/users/user/"


def page(user: User) -> str:
    return f"{USERS}{user.pk}/change/"


def address(user: User, act: str) -> str:
    return f"{USERS}{user.pk}/act/{act}/"


def do(browser: Client, user: User, act: str, **fields: Any) -> Any:
    """Post the form of an act; where it leads."""
    return browser.post(address(user, act), fields, follow=True)


def numbers(browser: Client, term: str) -> list[str]:
    """The numbers of the users that a search lists."""
    answer = browser.get(USERS, {"q": term})
    assert answer.status_code == 200
    return sorted(user.phone or "" for user in answer.context["cl"].result_list)
