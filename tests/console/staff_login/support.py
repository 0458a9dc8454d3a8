"""One member of staff who logs in, from here or there."""

from typing import Any

from django.test import Client

PASSWORD = "a long enough password"  # made up
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def log_in(
    browser: Client, name: str = "root", password: str = PASSWORD, *, address: str = HOME, **fields: str
) -> Any:
    form = {"username": name, "password": password, "next": "/admin/", **fields}
    return browser.post("/admin/login/", form, REMOTE_ADDR=address)


def addresses(count: int) -> list[str]:
    return [f"198.51.{number // 200}.{number % 200 + 1}" for number in range(count)]
