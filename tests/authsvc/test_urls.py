"""Paths: those that the contract names lead somewhere, none stands in another's way, and each asks for the methods it says."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from authsvc.middleware import _KEEP_HOST, PROBES
from tests import factories
from tests.processes import ROOT
from webhooks.registry import WEBHOOKS

CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
# What the pretend providers serve, and a prefix.
_ELSEWHERE = re.compile(r"/(handsets|sends|faults|state)\b|^/api/v1/$")


def paths_of_the_contract() -> list[tuple[str, str]]:
    """Method ("" where none is named) and path."""
    named = re.findall(r"`(?:(GET|POST|PUT|DELETE) )?(/[a-z0-9./{}_-]+)`", CONTRACT)
    return sorted({(method, path) for method, path in named if not _ELSEWHERE.search(path)})


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """All patterns of ours, with their whole path; the admin's are Django's."""
    for item in (resolver or get_resolver()).url_patterns:
        path = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            if item.app_name != "admin":
                yield from routes(item, path)
        else:
            yield path, item


@pytest.mark.parametrize(("method", "path"), paths_of_the_contract())
def test_what_the_contract_names_is_there(method: str, path: str) -> None:
    if path in PROBES:
        with pytest.raises(Resolver404):
            resolve(path)  # the middleware serves it, before the host is looked at
        return

    match = resolve(path.replace("{id}", "AaISGM3LcSS05cKQIUCm"))

    assert match.view_name != "api-unknown"


def test_the_contract_names_enough_to_be_compared() -> None:
    paths = {path for _, path in paths_of_the_contract()}

    assert {"/login/", "/oauth2/token/", "/whatsapp/webhook", "/api/v1/challenges", "/healthz"} <= paths


def test_no_path_and_no_name_is_given_twice() -> None:
    ours = list(routes())

    assert [path for path, count in Counter(path for path, _ in ours).items() if count > 1] == []
    names = Counter(item.name for _, item in ours if item.name)
    assert [name for name, count in names.items() if count > 1] == []


def test_paths_that_providers_call_keep_their_host() -> None:
    """They follow no redirect and know one name; another one must not cost a report."""
    assert all(path.startswith(_KEEP_HOST) and not path.endswith("/") for path in WEBHOOKS)
    assert all(resolve(path).func for path in WEBHOOKS)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/login/code", "/account", "/admin"])
def test_a_page_without_its_last_slash_leads_to_it(path: str) -> None:
    factories.make_project()

    response = Client().get(path)

    assert (response.status_code, response.headers["Location"]) == (301, f"{path}/")


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted({*WEBHOOKS, "/api/v1/challenges"}))
def test_a_path_of_programs_with_one_too_many_leads_nowhere(path: str) -> None:
    """A redirect would lose the body."""
    factories.make_project()

    assert Client().post(f"{path}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login//", "/%2e%2e/login/", "/login/code/../..", "/\x00"])
def test_odd_paths_lead_nowhere_and_never_away(path: str) -> None:
    factories.make_project()

    response = Client().get(path)

    assert response.status_code in (400, 404) or response.headers["Location"].startswith("/login")
