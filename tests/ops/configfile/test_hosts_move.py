"""Hosts that move between the projects of one file: as the file says, in whatever order the projects stand."""

from pathlib import Path

import pytest

from projects.config import projects
from projects.models import Domain
from tests.ops.configfile.support import Result

pytestmark = pytest.mark.django_db


def applied(tmp_path: Path, *flags: str, **hosts: str) -> Result:
    """Projects with these hosts, in this order."""
    common = "countries: {allowed: all}, sms: {provider: memory}, login_methods: {verify_phone_by: sms_only}"
    lines = [
        f"  - {{slug: {slug}, name: {slug}, domains: [{listed}], {common}}}" for slug, listed in hosts.items()
    ]
    return Result("\n".join(["projects:", *lines]), tmp_path, *flags)


def owners() -> dict[str, str]:
    return dict(Domain.objects.order_by("host").values_list("host", "project__slug"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": "one.example", "b": ""}, {"a": "", "b": "one.example"}),
        ({"a": "", "b": "one.example"}, {"a": "one.example", "b": ""}),
        ({"a": "one.example", "b": "two.example"}, {"a": "two.example", "b": "one.example"}),
        ({"a": "one.example", "b": "two.example"}, {"b": "one.example", "a": "two.example"}),
        ({"a": "one.example", "b": "two.example"}, {"a": "'two.example:8443'", "b": "'one.example:8443'"}),
        ({"a": "one.example", "b": "two.example", "c": "six.example"}, {"a": "two.example", "b": "six.example", "c": "one.example"}),
        ({"a": "one.example"}, {"a": "'one.example:8443', one.example"}),
        ({"a": "one.example"}, {"a": "'one.example:8443'"}),
    ],
)  # fmt: skip
def test_a_host_goes_where_the_file_has_it(
    before: dict[str, str], after: dict[str, str], tmp_path: Path
) -> None:
    assert applied(tmp_path, **before).code == 0

    result = applied(tmp_path, **after)

    assert (result.code, result.err) == (0, "")
    expected = {host.strip(" '"): slug for slug, hosts in after.items() for host in hosts.split(",") if host}
    assert owners() == expected
    for host, slug in expected.items():
        project = projects.get().claim_of(host.partition(":")[0]).project
        assert project is not None
        assert project.slug == slug
    assert applied(tmp_path, **after).out == "nothing to change\n"


def test_the_move_is_a_line_at_each_end_and_check_moves_nothing(tmp_path: Path) -> None:
    applied(tmp_path, a="one.example", b="two.example")

    result = applied(tmp_path, "--check", a="two.example", b="six.example")

    assert result.code == 3
    assert result.out.splitlines() == [
        "projects.a.domains: one.example removed",
        "projects.b.domains: two.example removed",
        "projects.a.domains: two.example added",
        "projects.b.domains: six.example added",
    ]
    assert owners() == {"one.example": "a", "two.example": "b"}


@pytest.mark.parametrize("claim", ["one.example", "'one.example:8443'"])
def test_a_project_that_is_not_in_the_file_keeps_its_hosts(claim: str, tmp_path: Path) -> None:
    applied(tmp_path, a="one.example", b="two.example")

    result = applied(tmp_path, b=claim)

    assert result.code == 2
    assert result.err == f"projects[0].domains: {claim.strip("'")} belongs to the project a\n"
    assert owners() == {"one.example": "a", "two.example": "b"}
