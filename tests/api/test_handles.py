"""The ids of challenges: unguessable, sealed, of one client, and of the API only."""

import base64
import time
import uuid

import pytest
from django.conf import LazySettings, settings

from abuse import rules
from api import challenge_ids
from login import seals
from login.login_cookie import LoginCookie, PendingLogin
from oidc.models import Client
from otp.models import Challenge, Purpose
from projects.config import ProjectConfig
from tests import factories
from tests.api.conftest import App, challenge_id, code_of, problem

PHONE_KEY = "00112233445566778899aabb"


@pytest.fixture
def client(project: ProjectConfig) -> Client:
    return factories.make_client(project)


def flipped(name: str, nth: int) -> str:
    """The id with one bit of its `nth` byte changed."""
    raw = bytearray(base64.urlsafe_b64decode(name))
    raw[nth] ^= 1
    return base64.urlsafe_b64encode(bytes(raw)).decode()


def test_an_id_names_challenge_client_and_number(client: Client) -> None:
    key = uuid.uuid4()

    name = challenge_ids.write(challenge_id=key, phone_key=PHONE_KEY, client=client)

    found = challenge_ids.read(name)
    assert found
    assert (found.challenge_id, found.client_key, found.phone_key) == (key, client.pk, PHONE_KEY)
    assert challenge_ids.purpose_of(found, client=client) is Purpose.LOGIN
    assert len(name) == challenge_ids.LENGTH == 72


def test_an_id_holds_neither_the_number_nor_the_clients_name(app: App) -> None:
    name = app.started()

    raw = base64.urlsafe_b64decode(name)
    assert b"51234567" not in raw
    assert b"acme" not in raw
    found = challenge_ids.read(name)
    assert found
    assert found.phone_key == rules.phone_key(
        project_id=Challenge.objects.get().project_id, phone=factories.PHONE
    )


@pytest.mark.parametrize("nth", range(54))
def test_one_bit_changed_is_no_id(app: App, nth: int) -> None:
    """Whichever part it is in: challenge, client, number or seal."""
    name = app.started()

    problem(app.read(flipped(name, nth)), 404, "challenge_not_found")


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "A" * 71,
        "A" * 72,
        "A" * 73,
        "A" * 71 + "=",
        "A" * 71 + "+",
        "A" * 71 + "\n",
        "é" * 72,
        "%00" + "A" * 71,
        "A" * 5000,
    ],
)
def test_nonsense_is_no_id(app: App, name: str) -> None:
    for path, body in (("", None), ("/send", {}), ("/verify", {"code": "123456"})):
        method = "GET" if body is None else "POST"
        problem(app.call(method, f"/api/v1/challenges/{name}{path}", body), 404, "challenge_not_found")


def test_the_key_of_a_challenge_is_no_id(app: App) -> None:
    key = challenge_id(app.started())

    for name in (str(key), key.hex):
        problem(app.read(name), 404, "challenge_not_found")


def test_ids_and_cookies_of_the_hosted_pages_are_not_the_same_thing(app: App) -> None:
    """A7: what one of the two gave opens nothing at the other."""
    name = app.started()
    browser = LoginCookie(secret=seals.new_secret())
    login = PendingLogin(challenge_id=challenge_id(name), started_ms=int(time.time() * 1000))

    for sealed in (browser.form_value(login), browser.reference(login)):
        problem(app.read(sealed), 404, "challenge_not_found")
    app.http.cookies[settings.LOGIN_COOKIE_NAME] = name
    assert app.http.post("/login/code/", {"code": code_of(name)})["Location"] == "/login/"
    assert app.read(name).json()["state"] == "pending"


def test_ids_under_an_old_secret_key_are_valid_while_it_is_listed(app: App, settings: LazySettings) -> None:
    name = app.started()
    code = code_of(name)
    old = settings.SECRET_KEY

    settings.SECRET_KEY = "n" * 50
    problem(app.read(name), 404, "challenge_not_found")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert app.read(name).status_code == 200
    assert app.verify(name, code).status_code == 200


def test_a_seal_is_good_for_one_project(client: Client, project: ProjectConfig) -> None:
    name = challenge_ids.write(challenge_id=uuid.uuid4(), phone_key=PHONE_KEY, client=client)
    found = challenge_ids.read(name)
    assert found

    client.project_id = uuid.uuid4()

    assert challenge_ids.purpose_of(found, client=client) is None
