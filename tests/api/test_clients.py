"""Who may call: clients of the host's project, proven when they are confidential, and each with its own challenges."""

import base64
from typing import Any

import pytest
from django.conf import LazySettings

from oidc.models import Client
from projects.config import ProjectConfig
from projects.models import Project
from tests import factories
from tests.api.conftest import CHALLENGES, SECRET, App, basic, code_of, nothing_new, problem


def refused(response: Any) -> dict[str, Any]:
    assert response["WWW-Authenticate"].startswith("Basic ")
    return problem(response, 401, "invalid_client")


def every_call(app: App, name: str) -> list[Any]:
    """All that can be asked about a challenge."""
    return [app.read(name), app.send(name, channel="sms"), app.verify(name, code_of(name))]


@pytest.mark.parametrize(
    "client_id", ["nobody", "ACME-WEB", "acme-web\u00a0x", "other-web", "acme-server", "x" * 100]
)
def test_a_start_needs_a_public_client_of_this_project(
    app: App, stranger: App, server: App, client_id: str
) -> None:
    """K8: another project's client is as unknown as one that does not exist; a confidential one proves itself."""
    with nothing_new():
        refused(app.start(client_id=client_id))


def test_a_request_without_a_client_id_is_unauthorized(app: App) -> None:
    with nothing_new():
        refused(app.call("POST", CHALLENGES, {"phone": factories.PHONE}))


def test_a_confidential_client_proves_itself_by_basic(server: App) -> None:
    """J4"""
    name = server.started()

    assert all(response.status_code < 300 for response in every_call(server, name))


def test_a_server_may_also_send_its_client_id(server: App) -> None:
    assert server.start(client_id="acme-server").status_code == 201


def test_a_server_may_not_send_another_client_id(server: App, app: App) -> None:
    with nothing_new():
        refused(server.start(client_id="acme-web"))


@pytest.mark.parametrize(
    "header",
    [
        basic("acme-server", "wrong"),
        basic("acme-server", ""),
        basic("nobody", SECRET),
        basic("acme-web", ""),
        basic("acme-web", SECRET),
        basic("other-web", ""),
        "Basic",
        "Basic !!!",
        "basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    ],
)
def test_a_wrong_proof_is_refused_before_anything_else(
    app: App, server: App, stranger: App, header: str
) -> None:
    """J4"""
    mine, theirs = server.started(), app.started(factories.OTHER_PHONE)
    server.secret = ""

    with nothing_new():
        refused(app.start(headers={"Authorization": header}))
        for name in (mine, theirs, "nonsense"):
            refused(server.call("GET", f"{CHALLENGES}/{name}", Authorization=header))
            refused(server.call("POST", f"{CHALLENGES}/{name}/send", {}, Authorization=header))
            refused(server.call("POST", f"{CHALLENGES}/{name}/verify", {"code": "1"}, Authorization=header))


def test_the_id_of_a_confidential_clients_challenge_is_not_enough(server: App) -> None:
    """Stolen from a log, it opens nothing without the secret."""
    name = server.started()
    thief = App("acme-server")

    for response in every_call(thief, name):
        refused(response)


def test_other_authentication_schemes_are_ignored(app: App) -> None:
    """A bearer token that a page sends along by habit."""
    assert app.start(headers={"Authorization": "Bearer abc"}).status_code == 201


def test_a_client_with_keys_cannot_use_a_secret(project: ProjectConfig) -> None:
    """As at the token endpoint: with keys registered a stolen secret is of no use."""
    factories.make_client(project, secret=SECRET, client_id="acme-server", jwks={"keys": []} | {"x": 1})

    with nothing_new():
        refused(App("acme-server", secret=SECRET).start())


def test_a_third_party_client_cannot_sign_people_in(app: App) -> None:
    """I19: there is no page here that could ask."""
    name = app.started()
    client = Client.objects.get()
    client.skip_authorization = False
    client.save()

    with nothing_new():
        assert "consent" in refused(app.start(factories.OTHER_PHONE))["detail"]
        for response in every_call(app, name):
            refused(response)


def test_a_client_that_was_turned_off_is_gone_at_once(app: App) -> None:
    name = app.started()
    client = Client.objects.get()
    client.is_active = False
    client.save()

    refused(app.start(factories.OTHER_PHONE))
    for response in every_call(app, name):
        problem(response, 404, "challenge_not_found")


def test_a_challenge_of_another_client_does_not_exist(app: App, server: App) -> None:
    theirs = app.started()
    mine = server.started(factories.OTHER_PHONE)

    for response in every_call(server, theirs):
        problem(response, 404, "challenge_not_found")
    assert app.read(theirs).json()["attempts_left"] == 5
    assert server.read(mine).status_code == 200


def test_a_challenge_of_another_project_does_not_exist(app: App, stranger: App) -> None:
    """K8"""
    mine, theirs = app.started(), stranger.started()
    here, there = App(), App("other-web", host="other.example")

    for response in (*every_call(here, theirs), *every_call(there, mine)):
        problem(response, 404, "challenge_not_found")
    assert stranger.verify(theirs, code_of(theirs)).status_code == 200
    assert app.verify(mine, code_of(mine)).status_code == 200


def test_the_same_number_is_another_user_in_another_project(app: App, stranger: App) -> None:
    mine, theirs = app.signed_in(), stranger.signed_in()

    assert mine["user"]["id"] != theirs["user"]["id"]
    assert theirs["user"]["is_new"]


def test_a_client_that_moved_to_another_project_leaves_its_challenges_behind(app: App, stranger: App) -> None:
    name = app.started()
    client = Client.objects.get(client_id="acme-web")
    client.project = Project.objects.get(slug="other")
    client.save()

    for response in every_call(App("acme-web", host="other.example"), name):
        problem(response, 404, "challenge_not_found")


def test_on_a_host_without_a_project_no_client_is_known(app: App, settings: LazySettings) -> None:
    name = app.started()
    project = Project.objects.get()
    project.is_default = False
    project.save()

    refused(app.start(factories.OTHER_PHONE))
    for response in every_call(app, name):
        problem(response, 404, "challenge_not_found")


def test_a_cookie_or_a_session_of_the_pages_says_nothing_here(app: App) -> None:
    """No ambient authority, hence no CSRF."""
    app.http.cookies["sessionid"] = "x" * 32

    response = app.start()

    assert response.status_code == 201
    assert not response.cookies
