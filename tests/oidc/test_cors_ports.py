"""Pages on loopback: where a redirect URI's port is free, that of its page is. Nowhere else."""

import pytest

from oidc import cors
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost", True),
        ("http://localhost:5173", True),
        ("http://127.0.0.1:5173", False),
        ("https://localhost:5173", False),
        ("http://localhost.evil.example:5173", False),
        ("http://localhost:5173.evil.example", False),
        ("https://acme.example", True),
        ("https://acme.example:8443", False),
        ("http://acme.example", False),
        ("http://[::1]:7000", False),
        ("http://[::1]:3000", True),
        ("null", False),
    ],
)
def test_ports_are_free_on_loopback_only(origin: str, allowed: bool) -> None:
    """J21"""
    project = factories.make_project()
    factories.make_client(
        project,
        redirect_uris="http://localhost/ https://acme.example/callback com.acme.app:/done",
        allowed_origins="http://[::1]:3000",
    )

    assert cors.allows(origin, project_id=project.id) is allowed
    assert cors.allows(origin, project_id=project.id, client_id="acme-web") is allowed
    assert not cors.allows(origin, project_id=project.id, client_id="another")


def test_a_confidential_clients_redirects_open_nothing() -> None:
    """J21"""
    project = factories.make_project()
    factories.make_client(project, secret="x" * 40, redirect_uris="http://localhost/")

    assert not cors.allows("http://localhost:5173", project_id=project.id)
