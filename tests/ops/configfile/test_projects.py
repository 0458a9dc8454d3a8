"""Projects in a file: their hosts, their login methods as a whole, the default mark, the archive."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from projects.config import Closed, projects
from projects.models import Domain, LoginMethods, Project
from tests.ops.configfile.support import Result

HEAD = """
shared:
  whatsapp: {provider: memory}
  sms: {provider: memory}
projects:
"""
ACME = """
  - slug: acme
    name: Acme
    default: true
    domains: [login.acme.example]
    otp: {valid_seconds: 600, resend_after_seconds: 30}
    fallback: {wait_seconds: 20}
    countries: {allowed: [HK, GB], pinned: [HK]}
"""
BETA = ACME.replace("acme", "beta").replace("Acme", "Beta").replace("default: true", "default: false")

pytestmark = pytest.mark.django_db


def applied(*parts: str, tmp_path: Path) -> Result:
    return Result(HEAD + "".join(parts), tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[HK, GB]", "[]", "projects[0].countries.allowed: must name at least one country, or all"),
        (
            "pinned: [HK]",
            "pinned: [US]",
            "projects[0].countries.pinned: must be among the countries allowed: US",
        ),
        ("pinned: [HK]", "pinned: [HK, HK]", "projects[0].countries.pinned[1]: duplicate value"),
        ("wait_seconds: 20", "wait_seconds: 300", None),
        ("valid_seconds: 600", "valid_seconds: 60", None),
    ],
)
def test_login_methods_are_checked_as_a_whole(old: str, new: str, line: str | None, tmp_path: Path) -> None:
    """L2: refused with its path, or right."""
    result = applied(ACME.replace(old, new), tmp_path=tmp_path)

    assert result.code == (2 if line else 0), result.err
    assert (line or "") in result.err
    assert LoginMethods.objects.exists() is (line is None)


@pytest.mark.parametrize(
    ("valid", "wait", "right"),
    [(60, 59, True), (60, 60, False), (60, 61, False), (300, 300, False), (600, 300, True)],
)
def test_a_fallback_comes_before_the_code_ends(valid: int, wait: int, right: bool, tmp_path: Path) -> None:
    """L2: at the bound and beside it."""
    text = ACME.replace("valid_seconds: 600", f"valid_seconds: {valid}").replace(
        "wait_seconds: 20", f"wait_seconds: {wait}"
    )

    result = applied(text, tmp_path=tmp_path)

    assert result.code == (0 if right else 2)
    line = f"projects[0].fallback.wait_seconds: must be below the {valid} seconds that a code is valid"
    assert (line in result.err) is not right


@pytest.mark.parametrize(("wait", "right"), [(59, True), (60, False), (300, False)])
def test_a_code_can_be_sent_again_before_it_ends(wait: int, right: bool, tmp_path: Path) -> None:
    """L2."""
    text = ACME.replace("valid_seconds: 600", "valid_seconds: 60").replace(
        "after_seconds: 30", f"after_seconds: {wait}"
    )

    result = applied(text, tmp_path=tmp_path)

    assert result.code == (0 if right else 2)
    line = "projects[0].otp.resend_after_seconds: must be below the 60 seconds that a code is valid"
    assert (line in result.err) is not right


def test_a_new_project_has_its_login_methods_however_it_is_made(tmp_path: Path) -> None:
    """L2."""
    applied(ACME, tmp_path=tmp_path)
    made = Project.objects.create(slug="third", name="Third")
    Domain.objects.create(project=made, host="login.third.example")

    assert LoginMethods.objects.filter(project__slug="acme", countries_pinned=["HK"]).count() == 1
    assert made.login_methods.countries_allowed == []
    claim = projects.get().claim_of("login.third.example")
    assert (claim.project, claim.closed) == (None, Closed.NOT_SET_UP)


# Hosts ------------------------------------------------------------------------------------------------


def test_hosts_are_stored_in_their_one_spelling(tmp_path: Path) -> None:
    """L3."""
    text = ACME.replace(
        "[login.acme.example]", "[Login.Acme.Example., bücher.example, login.acme.example:8443]"
    )

    assert applied(text, tmp_path=tmp_path).code == 0
    hosts = ["login.acme.example", "login.acme.example:8443", "xn--bcher-kva.example"]
    assert sorted(Domain.objects.values_list("host", flat=True)) == hosts
    assert applied(text, tmp_path=tmp_path).out.strip() == "nothing to change"
    out = StringIO()
    call_command("export", stdout=out)
    assert Result(out.getvalue(), tmp_path).out.strip() == "nothing to change"


@pytest.mark.parametrize(
    "host", ["https://login.acme.example", "login.acme.example/", "login_acme.example", "*.acme.example", "a..example",
             "login.acme.example:0", "login.acme.example:99999", "127.1", '""'],
)  # fmt: skip
def test_what_is_no_host_is_refused(host: str, tmp_path: Path) -> None:
    """L3."""
    result = applied(
        ACME.replace("[login.acme.example]", f"[{host!r}]" if host != '""' else '[""]'), tmp_path=tmp_path
    )

    assert (result.code, "projects[0].domains[0]: must be a host name" in result.err) == (2, True)


@pytest.mark.parametrize("twice", ["LOGIN.acme.example", "login.acme.example.", "login.acme.example:443"])
def test_two_spellings_are_one_host(twice: str, tmp_path: Path) -> None:
    """L3."""
    result = applied(
        ACME.replace("[login.acme.example]", f"[login.acme.example, '{twice}']"), tmp_path=tmp_path
    )

    assert (result.code, "projects[0].domains[1]: duplicate value" in result.err) == (2, True)


@pytest.mark.parametrize("claim", ["login.acme.example", "LOGIN.ACME.EXAMPLE.", "login.acme.example:8443"])
def test_a_name_is_one_projects_whatever_its_port(claim: str, tmp_path: Path) -> None:
    """L2: cookies of a browser do not tell ports apart."""
    thief = BETA.replace("[login.beta.example]", f"['{claim}']")

    together = applied(ACME, thief, tmp_path=tmp_path)
    assert (together.code, "projects[1].domains[0]: another project has this host" in together.err) == (
        2,
        True,
    )

    assert applied(ACME, tmp_path=tmp_path).code == 0
    later = applied(thief, tmp_path=tmp_path)
    assert (later.code, "belongs to the project acme" in later.err) == (2, True)


# The default project ----------------------------------------------------------------------------------


def test_the_default_mark_moves_and_never_just_goes(tmp_path: Path) -> None:
    """D12."""
    assert applied(ACME, BETA, tmp_path=tmp_path).code == 0

    gone = applied(ACME.replace("default: true", "default: false"), BETA, tmp_path=tmp_path)
    assert gone.code == 2
    assert "projects[0].default: this is the default project" in gone.err
    assert Project.objects.get(is_default=True).slug == "acme"

    moved = applied(
        ACME.replace("default: true", "default: false"),
        BETA.replace("default: false", "default: true"),
        tmp_path=tmp_path,
    )
    assert (moved.code, moved.err) == (0, "")
    assert Project.objects.get(is_default=True).slug == "beta"


def test_without_a_default_from_the_start_there_is_nothing_to_guard(tmp_path: Path) -> None:
    """D12."""
    for _ in range(2):
        assert applied(BETA, tmp_path=tmp_path).code == 0


# The archive ------------------------------------------------------------------------------------------


def test_a_project_goes_into_the_archive_and_comes_back(tmp_path: Path) -> None:
    """D12."""
    applied(ACME, BETA, tmp_path=tmp_path)
    archived = BETA + "    archived: true\n"

    result = applied(ACME, archived, tmp_path=tmp_path)
    assert "projects.beta.archived: false → true" in result.out
    claim = projects.get().claim_of("login.beta.example")
    assert (claim.project, claim.closed) == (None, Closed.ARCHIVED)

    silent = applied(ACME, BETA, tmp_path=tmp_path)
    assert "projects.beta: is archived, and stays so" in silent.out
    out = StringIO()
    call_command("export", stdout=out)
    assert Result(out.getvalue(), tmp_path).out.strip() == "nothing to change"

    back = applied(ACME, archived.replace("archived: true", "archived: false"), tmp_path=tmp_path)
    assert "projects.beta.archived: true → false" in back.out
    assert projects.get().claim_of("login.beta.example").project is not None


def test_the_default_project_is_not_archived(tmp_path: Path) -> None:
    """D12."""
    applied(ACME, BETA, tmp_path=tmp_path)

    marked = applied(ACME + "    archived: true\n", BETA, tmp_path=tmp_path)
    assert "projects[0].archived: an archived project cannot be the default one" in marked.err

    moving = applied(
        ACME.replace("default: true", "default: false") + "    archived: true\n",
        BETA.replace("default: false", "default: true"),
        tmp_path=tmp_path,
    )
    assert (moving.code, moving.err) == (0, "")
    assert Project.objects.get(slug="acme").archived_at
