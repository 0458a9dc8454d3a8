"""The event that a project gets for a login over the API."""

import pytest

from events import store
from oidc import tokens
from oidc.models import TokenFamily
from projects.config import ProjectConfig
from tests import factories
from tests.api.conftest import App, code_of, wrong_code
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_login_is_one_event_with_its_user(project: ProjectConfig, app: App) -> None:
    factories.make_endpoint(project)
    name = app.started()
    app.verify(name, wrong_code(name))
    assert factories.told() == []

    found = app.verify(name, code_of(name)).json()
    app.verify(name, code_of(name))

    ((kind, data),) = factories.told()
    assert (kind, data["user_id"]) == ("login.succeeded", found["user"]["id"])


def test_an_assertion_is_no_login(project: ProjectConfig, app: App) -> None:
    factories.make_endpoint(project)
    name = app.started(purpose="assertion")

    assert app.verify(name, code_of(name)).status_code == 200

    assert factories.told() == []


def test_tokens_that_could_not_be_written_are_no_login(
    project: ProjectConfig, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = app.started()
    with monkeypatch.context() as broken:
        broken.setattr(tokens, "new_token", lambda: "taken")
        app.signed_in(factories.OTHER_PHONE)
        factories.make_endpoint(project)
        assert app.verify(name, code_of(name)).status_code == 500
    assert factories.told() == []

    app.verify(name, code_of(name))
    assert [kind for kind, _ in factories.told()] == ["login.succeeded"]


def test_an_event_that_could_not_be_written_leaves_no_tokens(
    project: ProjectConfig, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_endpoint(project)
    name = app.started()
    with monkeypatch.context() as broken:
        broken.setattr(store, "insert", lambda *_, **__: 1 // 0)
        assert app.verify(name, code_of(name)).status_code == 500

    assert not TokenFamily.objects.exists()
    assert not User.objects.exists()
    assert app.verify(name, code_of(name)).status_code == 200
    assert TokenFamily.objects.count() == len(factories.told()) == 1
