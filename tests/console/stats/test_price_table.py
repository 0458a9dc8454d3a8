"""The price table in the admin."""

from typing import Any

import pytest
from django.test import Client as Http

from audit.models import AuditEvent
from projects.config import ProjectConfig
from stats.models import Price
from tests.console.stats.test_dashboard import member
from tests.statements import statements

pytestmark = pytest.mark.django_db

PRICES = "/admin/stats/price/"
VALID = {
    "provider": "meta", "country": "HK", "category": "authentication", "amount": "0.0085", "currency": "USD",
    "valid_from": "2026-01-01",
}  # fmt: skip
TEXT = "provider,country,amount,currency,valid_from\nmeta,HK,0.0085,USD,2026-01-01\n"


def test_a_price_is_entered(staff: Http) -> None:
    assert staff.post(f"{PRICES}add/", VALID).status_code == 302
    assert str(Price.objects.get()) == "meta HK authentication 0.0085 USD"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", "nobody"),
        ("country", "hk"),
        ("country", "Hong Kong"),
        ("category", "Marketing!"),
        ("amount", "-1"),
        ("amount", "much"),
        ("currency", "usd"),
        ("currency", "DOLLAR"),
        ("valid_from", "soon"),
    ],
)
def test_a_wrong_price_is_refused_beside_its_field(field: str, value: str, staff: Http) -> None:
    answer: Any = staff.post(f"{PRICES}add/", VALID | {field: value})

    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Price.objects.exists()


def test_two_prices_of_a_day_are_refused(staff: Http) -> None:
    staff.post(f"{PRICES}add/", VALID)

    answer = staff.post(f"{PRICES}add/", VALID | {"amount": "2"})

    assert b"There is a price for this provider, country, category and day." in answer.content
    assert Price.objects.count() == 1


def test_prices_are_pasted(staff: Http) -> None:
    assert "Paste prices as CSV" in staff.get(PRICES).content.decode()

    answer = staff.post(f"{PRICES}paste/", {"prices": TEXT}, follow=True)

    assert "1 prices are stored." in answer.content.decode()
    assert Price.objects.count() == 1


def test_pasted_prices_are_one_event(staff: Http) -> None:
    staff.post(f"{PRICES}paste/", {"prices": TEXT})
    staff.post(f"{PRICES}paste/", {"prices": TEXT + "meta,<b>,1,USD,2026-01-01"})

    event = AuditEvent.objects.get(object_type="stats.price")
    assert (event.kind, event.detail) == ("acted", "1 prices pasted")


def test_a_wrong_line_is_named(staff: Http) -> None:
    answer = staff.post(f"{PRICES}paste/", {"prices": TEXT + "meta,<b>,1,USD,2026-01-01"}, follow=True)

    assert "Line 3: country" in answer.content.decode()
    assert not Price.objects.exists()


@pytest.mark.parametrize(
    "permissions", [(), ("view_price",), ("view_price", "add_price"), ("view_price", "change_price")]
)
def test_pasting_needs_both_permissions(permissions: tuple[str, ...], project: ProjectConfig) -> None:
    browser = member(*permissions)

    assert browser.post(f"{PRICES}paste/", {"prices": TEXT}).status_code == 403
    if permissions:
        assert "Paste prices" not in browser.get(PRICES).content.decode()
    assert not Price.objects.exists()


def test_a_link_stores_nothing(staff: Http) -> None:
    assert staff.get(f"{PRICES}paste/", {"prices": TEXT}).status_code == 405
    strict = Http(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(f"{PRICES}paste/", {"prices": TEXT}).status_code == 403
    assert not Price.objects.exists()


@pytest.mark.parametrize("count", [1, 60])
def test_the_list_is_few_statements(count: int, staff: Http) -> None:
    for nth in range(count):
        Price.objects.create(provider="meta", country=f"+{nth + 1}", amount=1, currency="USD")
    staff.get(PRICES)

    with statements() as sent:
        assert staff.get(PRICES).status_code == 200

    assert len(sent) <= 15, sent
