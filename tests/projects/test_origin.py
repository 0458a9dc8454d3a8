"""Which origin a spelling of a host stands for, decided without a request."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from projects.config import Closed, projects
from projects.models import Domain, LoginMethods, Project
from projects.origin import _MAX_SITES, Misdirected, locate, origin_of
from tests import factories

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop(settings: LazySettings) -> Project:
    """A default project without domains, and a shop with two: one has a port."""
    settings.AUTHSVC_PUBLIC_URL, settings.INSECURE_HTTP = "", False
    factories.make_project(slug="fallback", name="Fallback")
    project = Project.objects.get(id=factories.make_project(slug="shop", is_default=False).id)
    for host in ("shop.example.com", "login.shop.example:8443", "shop.localhost"):
        Domain.objects.create(project=project, host=host)
    return project


def seen(spelling: str, scheme: str = "https") -> tuple[str, str]:
    site = locate(projects.get(), spelling, scheme=scheme)
    assert site.project
    return site.origin, site.project.slug


@pytest.mark.parametrize(
    ("spelling", "scheme", "origin"),
    [
        ("shop.example.com", "https", "https://shop.example.com"),
        ("shop.example.com.", "https", "https://shop.example.com"),
        ("SHOP.example.COM.:443", "https", "https://shop.example.com"),
        ("shop.example.com:443", "https", "https://shop.example.com"),
        ("shop.example.com:0443", "https", "https://shop.example.com"),
        ("shop.example.com", "http", "https://shop.example.com"),
        ("shop.example.com:80", "http", "https://shop.example.com"),
        ("shop.example.com:443", "http", "https://shop.example.com"),
        ("login.shop.example:8443", "https", "https://login.shop.example:8443"),
        ("Login.Shop.Example.:8443", "https", "https://login.shop.example:8443"),
        ("login.shop.example", "https", "https://login.shop.example:8443"),
        ("shop.localhost:8000", "http", "http://shop.localhost:8000"),
        ("SHOP.localhost.:8000", "http", "http://shop.localhost:8000"),
        ("shop.localhost:80", "http", "http://shop.localhost"),
    ],
)
def test_each_domain_has_one_origin(spelling: str, scheme: str, origin: str, shop: Project) -> None:
    """L3."""
    assert seen(spelling, scheme) == (origin, "shop")


@pytest.mark.parametrize(
    "spelling",
    ["shop.example.com:1", "shop.example.com:80", "shop.example.com:8443", "shop.example.com.:1",
     "login.shop.example:8444", "login.shop.example:80", "unknown.example:8000", "[2001:db8::1]:8000", "203.0.113.7:8000",
     "unknown.example..", "a" * 64 + ".example", "a." * 130 + "example", "under_score.example"],
)  # fmt: skip
def test_what_has_no_canonical_spelling_is_misdirected(spelling: str, shop: Project) -> None:
    """L3."""
    with pytest.raises(Misdirected):
        locate(projects.get(), spelling, scheme="https")


@pytest.mark.parametrize(
    ("spelling", "origin"),
    [
        ("unknown.example", "https://unknown.example"),
        ("UNKNOWN.example.:443", "https://unknown.example"),
        ("localhost:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("[0:0::1]", "http://[::1]"),
        ("[2001:DB8::1]", "https://[2001:db8::1]"),
        ("203.0.113.7", "https://203.0.113.7"),
    ],
)
def test_unclaimed_hosts_belong_to_the_default_project(spelling: str, origin: str, shop: Project) -> None:
    """L3."""
    assert seen(spelling, "http") == (origin, "fallback")


def test_the_public_url_is_the_origin_of_a_project_without_domains(
    shop: Project, settings: LazySettings
) -> None:
    """L3: docs/contract.md, section 2."""
    settings.AUTHSVC_PUBLIC_URL = "https://login.example.com:8443"

    for spelling in (
        "login.example.com",
        "login.example.com:8443",
        "LOGIN.example.com.",
        "alias.example",
        "localhost:80",
    ):
        assert seen(spelling, "http") == ("https://login.example.com:8443", "fallback")
    assert seen("shop.example.com") == ("https://shop.example.com", "shop")
    with pytest.raises(Misdirected):
        locate(projects.get(), "login.example.com:1", scheme="https")


def test_a_host_beside_the_public_url_keeps_its_own_address_for_forms(
    shop: Project, settings: LazySettings
) -> None:
    """L3: the issuer is one, the page stays where the browser is."""
    settings.AUTHSVC_PUBLIC_URL = "https://login.example.com"

    site = locate(projects.get(), "Alias.example.", scheme="https")

    assert (site.origin, site.scheme, site.host) == ("https://login.example.com", "https", "alias.example")


def test_a_default_project_with_domains_answers_elsewhere_as_what_was_asked_for(
    shop: Project, settings: LazySettings
) -> None:
    settings.AUTHSVC_PUBLIC_URL = "https://login.example.com"
    Domain.objects.create(project=Project.objects.get(slug="fallback"), host="login.example.com")

    assert seen("other.example") == ("https://other.example", "fallback")


def test_the_public_url_names_the_port_of_a_domain_that_has_none(
    shop: Project, settings: LazySettings
) -> None:
    """L3."""
    settings.AUTHSVC_PUBLIC_URL = "https://shop.example.com:8443"

    assert (
        seen("shop.example.com:8443") == seen("shop.example.com") == ("https://shop.example.com:8443", "shop")
    )
    Domain.objects.create(project=shop, host="shop.example.com:9443")
    assert seen("shop.example.com:9443") == ("https://shop.example.com:9443", "shop")


def test_a_name_with_two_ports_and_none_written_is_neither(shop: Project) -> None:
    """L3: there is no way to tell which."""
    Domain.objects.create(project=shop, host="login.shop.example:9443")

    assert seen("login.shop.example:9443") == ("https://login.shop.example:9443", "shop")
    with pytest.raises(Misdirected):
        locate(projects.get(), "login.shop.example", scheme="https")


def test_without_tls_the_scheme_is_that_of_the_request(shop: Project, settings: LazySettings) -> None:
    """The demo, tests, and a loopback public URL."""
    settings.INSECURE_HTTP = True

    assert seen("shop.example.com:80", "http") == ("http://shop.example.com", "shop")
    assert seen("shop.example.com", "https") == ("https://shop.example.com", "shop")
    with pytest.raises(Misdirected):
        locate(projects.get(), "shop.example.com:443", scheme="http")


def test_a_closed_project_keeps_its_hosts(shop: Project) -> None:
    """L2."""
    LoginMethods.objects.get(project=shop).delete()
    site = locate(projects.get(), "shop.example.com", scheme="https")
    assert (site.project, site.closed) == (None, Closed.NOT_SET_UP)

    shop.archived_at = shop.created_at
    shop.save()
    site = locate(projects.get(), "shop.example.com", scheme="https")
    assert (site.project, site.closed) == (None, Closed.ARCHIVED)


def test_without_a_default_no_project_serves_an_unknown_host() -> None:
    factories.make_project(is_default=False)

    assert locate(projects.get(), "unknown.example", scheme="http").project is None


def test_the_default_project_that_is_not_set_up_is_not_replaced_either() -> None:
    """L2."""
    Project.objects.create(slug="new", name="New", is_default=True)
    factories.make_project(slug="other", is_default=False)

    site = locate(projects.get(), "unknown.example", scheme="http")

    assert (site.project, site.closed) == (None, Closed.NOT_SET_UP)


def test_what_many_spellings_cost_ends(settings: LazySettings) -> None:
    """L3: with a wildcard in ALLOWED_HOSTS anybody can send any number of names."""
    factories.make_project()
    settings.ALLOWED_HOSTS = [".localhost"]
    hosts = [f"h{nth}.localhost" for nth in range(_MAX_SITES + 10)]

    answers = [origin_of(RequestFactory().get("/", HTTP_HOST=host)) for host in hosts]

    assert answers == [f"http://{host}" for host in hosts]
    assert len(projects.get().sites) == _MAX_SITES


def test_nothing_else_makes_an_origin_of_a_request() -> None:
    """L3: three ways to compare a host were three answers."""
    makes = re.compile(
        r"get_host\(|build_absolute_uri|request\.scheme|get_port\(|get_current_site|HTTP_HOST|SERVER_NAME"
    )
    apps = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["source"]

    places = {
        str(path.relative_to(ROOT))
        for app in apps
        if app != "simulator"
        for path in (ROOT / app).rglob("*.py")
        if makes.search(path.read_text())
    }

    # The server hands the header on as it came; the short way of programs only asks whether it is allowed.
    handed_on = {"authsvc/middleware.py", "authsvc/programs.py", "ops/webserver/environ.py"}
    assert places == {"projects/origin.py", *handed_on}
