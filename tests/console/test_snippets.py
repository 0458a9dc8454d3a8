"""What is copied into an application names the right addresses, and never the secret."""

import html
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from console import snippets
from oidc.models import Client
from projects.config import ProjectConfig
from projects.models import Domain
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
ISSUER = "https://login.acme.example"
SECRET = "a client secret that is long enough for a plain hash"


def texts(client: Client) -> list[str]:
    return [snippet.text for snippet in snippets.snippets(client, ISSUER)]


def page_of(browser: Browser, client: Client) -> str:
    answer = browser.get(f"/admin/oidc/client/{client.pk}/snippets/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_the_address_is_one_that_the_provider_takes(project: ProjectConfig) -> None:
    client = factories.make_client(project)
    parts = urlsplit(texts(client)[1])

    asked = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/oauth2/authorize/"
    assert asked["client_id"] == [client.client_id]
    assert asked["redirect_uri"] == ["https://acme.example/callback"]
    assert asked["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_library_that_wants_to_know_the_signature_is_told(algorithm: str, project: ProjectConfig) -> None:
    client = factories.make_client(project, algorithm=algorithm)

    assert ("Signature of ID tokens", algorithm) in [
        (str(label), value) for label, value in snippets.facts(client, ISSUER)
    ]


def test_a_server_gets_a_library_for_servers(project: ProjectConfig) -> None:
    library, _address, api, example = texts(factories.make_client(project, secret=SECRET))

    assert "openid-client" in library
    assert "process.env.CLIENT_SECRET" in library
    assert '-u "acme-web:$CLIENT_SECRET"' in api
    assert "cd examples/express" in example
    assert "CLIENT_SECRET" in example


def test_a_page_gets_one_for_pages(project: ProjectConfig) -> None:
    library, _address, api, example = texts(factories.make_client(project))

    assert "oidc-client-ts" in library
    assert "CLIENT_SECRET" not in library + api + example
    assert "cd examples/spa" in example


@pytest.mark.parametrize("secret", ["", SECRET])
def test_the_bodies_of_the_api_are_json(secret: str, project: ProjectConfig) -> None:
    api = texts(factories.make_client(project, secret=secret))[2]

    start, verify = (json.loads(body) for body in re.findall(r"-d '([^']+)'", api))
    assert start == {"phone": "+447400123456"} | ({} if secret else {"client_id": "acme-web"})
    assert list(verify) == ["code"]


def test_no_secret_is_on_the_page(staff: Browser, project: ProjectConfig) -> None:
    """K3."""
    client = factories.make_client(project, secret=SECRET)
    page = page_of(staff, client)

    assert SECRET not in page
    assert client.client_secret not in page


def test_the_issuer_is_the_projects_host(staff: Browser, project: ProjectConfig) -> None:
    client = factories.make_client(project)
    assert "http://testserver/.well-known/openid-configuration" in page_of(staff, client)

    Domain.objects.create(project_id=project.id, host="login.acme.example")
    assert "://login.acme.example/.well-known/openid-configuration" in page_of(staff, client)


def test_it_needs_the_right_to_see_clients(client: Browser, project: ProjectConfig) -> None:
    row = factories.make_client(project)
    user = User.objects.create_user("some", "x")
    client.force_login(user)
    assert client.get(f"/admin/oidc/client/{row.pk}/snippets/").status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_client"))
    assert client.get(f"/admin/oidc/client/{row.pk}/snippets/").status_code == 200
    assert client.post(f"/admin/oidc/client/{row.pk}/snippets/").status_code == 405


def test_an_unknown_client_has_no_page(staff: Browser, project: ProjectConfig) -> None:
    assert staff.get("/admin/oidc/client/999999/snippets/").status_code == 404
