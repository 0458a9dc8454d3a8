"""Countries of the login methods form: what the page shows, and what is read from what a browser posts."""

import re

import pytest
from django.http import QueryDict
from django.test import Client

from console.countries import all_countries, flag, names
from console.country_fields import PinnedWidget
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods
from projects.rules import NETWORKS
from tests.console.login_methods.support import page_of, save_methods
from users.phones import calling_codes


def test_a_flag_is_made_of_the_code() -> None:
    assert (flag("HK"), flag("GB")) == ("🇭🇰", "🇬🇧")
    assert len({flag(code) for code in calling_codes()}) == len(calling_codes())


def test_countries_are_named_and_what_is_none_stands_as_it_is() -> None:
    assert names(["GB", "IN", "+881"]) == "United Kingdom, India, +881"
    assert names([]) == ""


def test_the_page_has_every_country_with_its_flag_and_calling_code(staff: Client) -> None:
    page = page_of(staff)

    assert "data-search" in page
    for country in all_countries():
        assert f'name="countries_allowed" value="{country.code}"' in page
        assert f'name="countries_pinned" value="{country.code}" data-pin' in page
    for code in NETWORKS:
        assert f'value="{code}" data-network' in page
    assert re.search(r"🇭🇰</span> <span data-name>Hong Kong[^<]*</span> <span class=\"dial\">\+852", page)


def test_what_is_stored_is_ticked_and_stands_in_its_order(staff: Client) -> None:
    LoginMethods.objects.update(countries_allowed=["GB", "HK", "+881"], countries_pinned=["HK", "GB"])

    page = page_of(staff)

    allowed = re.findall(r'name="countries_allowed" value="([^"]+)"[^>]* checked', page)
    assert sorted(allowed) == ["+881", "GB", "HK"]
    assert re.findall(r'name="countries_pinned-(\w\w)" value="(\d+)"', page) == [("HK", "1"), ("GB", "2")]


def posted(**values: list[str]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, items in values.items():
        data.setlist(name.replace("__", "-"), items)
    return data


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"pins": ["HK", "GB"]}, ["HK", "GB"]),
        ({"pins": ["HK", "GB", "HK"]}, ["HK", "GB"]),
        ({"pins": ["GB", "HK"], "pins__GB": ["2"], "pins__HK": ["1"]}, ["HK", "GB"]),
        ({"pins": ["AD", "GB", "HK"], "pins__GB": ["2"], "pins__HK": ["1"]}, ["HK", "GB", "AD"]),
        ({"pins": ["GB", "HK"], "pins__GB": ["x"], "pins__HK": ["1"]}, ["HK", "GB"]),
        ({"pins": ["GB", "HK"], "pins__GB": ["-1"], "pins__HK": [""]}, ["GB", "HK"]),
        ({"pins": ["HK"], "pins__HK": ["1"], "pins__GB": ["2"]}, ["HK"]),
        ({"pins": ["GB", "HK"], "pins__GB": ["1"], "pins__HK": ["1"]}, ["GB", "HK"]),
    ],
    ids=repr,
)
def test_places_are_numbers_and_a_country_without_one_comes_last(
    values: dict[str, list[str]], expected: list[str]
) -> None:
    assert PinnedWidget().value_from_datadict(posted(**values), {}, "pins") == expected


def test_the_order_is_saved(staff: Client, project: ProjectConfig) -> None:
    places = {"countries_pinned-GB": "3", "countries_pinned-HK": "1", "countries_pinned-IN": "2"}
    assert save_methods(staff, countries_pinned=["GB", "HK", "IN"], **places) == []

    assert projects.get().by_id[project.id].countries_pinned == ("HK", "IN", "GB")


def test_a_country_that_is_shown_first_is_allowed(staff: Client, project: ProjectConfig) -> None:
    errors = save_methods(staff, all_countries=None, countries_allowed=["HK"], countries_pinned=["GB"])

    assert errors == ["Must be among the countries allowed: GB."]


def test_what_was_typed_stands_there_after_an_error(staff: Client, project: ProjectConfig) -> None:
    row = LoginMethods.objects.get()
    answer = staff.post(
        f"/admin/projects/loginmethods/{row.pk}/change/",
        {"countries_allowed": ["HK", "GB"], "countries_pinned": ["GB", "HK"], "countries_pinned-GB": "2", "countries_pinned-HK": "1"},
    )  # fmt: skip

    page = answer.content.decode()
    assert re.findall(r'name="countries_pinned-(\w\w)" value="(\d+)"', page) == [("HK", "1"), ("GB", "2")]
    pinned = re.findall(r'name="countries_pinned" value="([^"]+)" data-pin checked', page)
    assert sorted(pinned) == ["GB", "HK"]
