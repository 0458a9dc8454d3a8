"""What another process saves acts on the next start and the next guess, which do not ask for the configuration's version
before they decide."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core import config_version
from core.redis import redis_client
from oidc.client_secrets import hash_secret
from oidc.models import Client
from otp.models import Challenge
from projects.models import LoginMethods, Project
from tests import factories
from tests.api.conftest import CHALLENGES, SECRET, Answer, App, code_of, nothing_new, problem, wrong_code
from tests.projects.test_config import saved_elsewhere


def heard(caller: App) -> App:
    """This process has the configuration in memory. The first login makes a key, which is another version of it."""
    for number in ("+85251234198", "+85251234199"):
        caller.signed_in(number)
    return caller


@pytest.fixture
def warm(app: App) -> App:
    return heard(app)


def counted() -> set[bytes]:
    """The limits that have been charged in Redis."""
    client = redis_client()
    return set(client.scan_iter("authsvc:limit:*")) if client else set()


def revoke() -> None:
    Client.objects.update(is_active=False)


def close_to_browsers() -> None:
    Client.objects.update(client_type="confidential", client_secret=hash_secret(SECRET))


def want_consent() -> None:
    Client.objects.update(skip_authorization=False)


def rename() -> None:
    Client.objects.update(client_id="acme-other")


def move() -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False)
    Client.objects.update(project_id=other.id)


def archive() -> None:
    Project.objects.update(archived_at=timezone.now())


def take_the_country_away() -> None:
    LoginMethods.objects.update(countries_allowed=["GB"])


def take_sms_away() -> None:
    LoginMethods.objects.update(verify_phone_by="whatsapp_only")


# A start --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "code", "fields"),
    [
        (revoke, 401, "invalid_client", {}),
        (close_to_browsers, 401, "invalid_client", {}),
        (want_consent, 401, "invalid_client", {}),
        (rename, 401, "invalid_client", {}),
        (move, 401, "invalid_client", {}),
        (archive, 503, "unavailable", {}),
        (take_the_country_away, 403, "country_not_allowed", {}),
        (take_sms_away, 403, "channel_not_allowed", {"channel": "sms"}),
        (take_sms_away, 403, "channel_not_allowed", {"channel": "sms", "purpose": "assertion"}),
    ],
)
def test_what_is_taken_away_is_refused_at_once(
    warm: App, change: Callable[[], None], status: int, code: str, fields: dict[str, Any]
) -> None:
    change()
    saved_elsewhere()
    before = counted()

    with nothing_new():
        problem(warm.start(**fields), status, code)
    assert counted() == before, "nothing is charged for it"


def test_a_rotated_secret_is_refused_at_once(server: App) -> None:
    heard(server)
    Client.objects.update(client_secret=hash_secret("another-one-0123456789-abcdefghijklmnop"))
    saved_elsewhere()

    with nothing_new():
        problem(server.start(), 401, "invalid_client")


def test_a_new_secret_is_good_at_once(server: App) -> None:
    """It was wrong under the version that this process believes."""
    heard(server)
    server.secret = "another-one-0123456789-abcdefghijklmnop"
    Client.objects.update(client_secret=hash_secret(server.secret))
    saved_elsewhere()

    assert server.start().status_code == 201


@pytest.mark.stores
def test_a_short_secret_is_counted_once_however_often_it_is_decided(server: App) -> None:
    """Checking a short one is limited, and a limit may be nearly reached."""
    heard(server)
    server.secret = "a-short-one"
    Client.objects.update(client_secret=hash_secret(server.secret))
    saved_elsewhere()

    assert server.start().status_code == 201

    client = redis_client()
    if client:
        counts = [int(client.get(key) or 0) for key in client.scan_iter("authsvc:limit:secret.*")]
        assert counts == [1] * len(counts) != []


def test_a_refusal_does_not_name_the_client_of_an_outdated_attempt(warm: App) -> None:
    revoke()
    saved_elsewhere()

    with capture_logs(processors=[merge_contextvars]) as lines:
        problem(warm.start(), 401, "invalid_client")

    refused = [line for line in lines if line["event"] == "api.refused"]
    assert refused
    assert not any("client_id" in line for line in refused)


def test_what_is_given_is_good_at_once(warm: App) -> None:
    """A new client, and a country that was not allowed."""
    take_the_country_away()
    saved_elsewhere()
    problem(warm.start(), 403, "country_not_allowed")

    Client.objects.update(client_id="acme-new")
    LoginMethods.objects.update(countries_allowed=["HK"])
    saved_elsewhere()
    assert App("acme-new").start().status_code == 201


def test_an_archived_project_that_is_opened_again_serves_at_once(warm: App) -> None:
    archive()
    saved_elsewhere()
    problem(warm.start(), 503, "unavailable")

    Project.objects.update(archived_at=None)
    saved_elsewhere()
    assert warm.start().status_code == 201


def test_a_start_uses_the_new_settings(warm: App) -> None:
    LoginMethods.objects.update(otp_length=8, resend_after_seconds=45)
    saved_elsewhere()

    started = warm.start().json()
    assert started["code_length"] == 8
    assert Challenge.objects.latest("id").code_length == 8


def test_a_key_that_was_used_gives_the_same_challenge_after_a_change(warm: App) -> None:
    key = {"Idempotency-Key": "one"}
    first = warm.start(headers=key).json()["id"]
    LoginMethods.objects.update(max_attempts=3)
    saved_elsewhere()

    with nothing_new():
        assert warm.start(headers=key).json()["id"] == first


def test_a_revoked_clients_pages_cannot_read_the_refusal(warm: App) -> None:
    """CORS knows no more of the client than the second attempt found out."""
    origin = {"Origin": "https://acme.example"}
    assert "Access-Control-Allow-Origin" in warm.start("+85251234101", headers=origin).headers
    revoke()
    saved_elsewhere()

    refused = warm.start(headers=origin)
    problem(refused, 401, "invalid_client")
    assert "Access-Control-Allow-Origin" not in refused.headers


# A guess --------------------------------------------------------------------------------------------


def guess(app: App) -> tuple[str, Callable[[], Answer]]:
    name = app.started()
    code = code_of(name)
    return name, lambda: app.verify(name, code)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (revoke, 404, "challenge_not_found"),
        (close_to_browsers, 401, "invalid_client"),
        (want_consent, 401, "invalid_client"),
        (move, 404, "challenge_not_found"),
        (archive, 503, "unavailable"),
    ],
)
def test_a_right_code_opens_nothing_for_who_may_no_longer(
    warm: App, change: Callable[[], None], status: int, code: str
) -> None:
    _name, verify = guess(warm)
    change()
    saved_elsewhere()
    before = counted()

    problem(verify(), status, code)
    latest = Challenge.objects.latest("id")
    assert (latest.verified_at, latest.attempts) == (None, 0)
    assert counted() == before, "nothing is charged for it"


def test_a_guess_with_a_rotated_secret_is_not_judged(server: App) -> None:
    _name, verify = guess(heard(server))
    Client.objects.update(client_secret=hash_secret("another-one-0123456789-abcdefghijklmnop"))
    saved_elsewhere()

    problem(verify(), 401, "invalid_client")
    assert Challenge.objects.latest("id").verified_at is None


@pytest.mark.parametrize("purpose", ["login", "assertion"])
def test_a_guess_after_a_change_that_is_none_of_its_business_is_judged_once(warm: App, purpose: str) -> None:
    name = warm.started(purpose=purpose)
    saved_elsewhere()
    assert warm.verify(name, "x").status_code == 400  # no code, so nothing was charged or counted
    saved_elsewhere()

    wrong = problem(warm.verify(name, wrong_code(name)), 400, "wrong_code")
    saved_elsewhere()

    assert wrong["attempts_left"] == 4
    assert warm.verify(name, code_of(name)).status_code == 200


def test_a_body_is_read_once_and_parsed_for_each_attempt(warm: App) -> None:
    """The second attempt refuses a broken body for the same reason."""
    name = warm.started()
    saved_elsewhere()
    too_large = b'{"code": "' + b"1" * 20_000 + b'"}'

    problem(warm.call("POST", f"{CHALLENGES}/{name}/verify", too_large), 413, "too_large")


# What it saves --------------------------------------------------------------------------------------


@pytest.fixture
def version_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the version was read by a round trip of its own."""
    reads = list[int]()
    real = config_version._ask

    def ask() -> int:
        reads.append(1)
        return real()

    monkeypatch.setattr(config_version, "_ask", ask)
    return reads


def test_a_login_does_not_ask_for_the_version(warm: App, version_reads: list[int]) -> None:
    """Without Redis it is a row, which each request reads."""
    warm.signed_in()
    asked = len(version_reads)

    assert asked == (0 if redis_client() else 2)


def test_an_assertion_and_a_repeat_with_a_key_do_not_ask_either(warm: App, version_reads: list[int]) -> None:
    key = {"Idempotency-Key": "one"}
    for _ in range(2):
        name = warm.start(headers=key, purpose="assertion").json()["id"]
    assert warm.verify(name, code_of(name)).status_code == 200

    assert len(version_reads) == (0 if redis_client() else 3)


def test_reading_and_sending_again_ask(warm: App, version_reads: list[int]) -> None:
    """They make no round trip that would tell them."""
    name = warm.started()
    version_reads.clear()
    warm.read(name)
    warm.send(name)

    assert len(version_reads) == 2


def test_after_a_change_nothing_stays_unconfirmed(warm: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a start or a guess ends, the version that it went by was compared."""
    ends = list[int | None]()
    real = config_version.believing

    def watched(decide: Callable[[], Any]) -> Any:
        with config_version.pinned():
            try:
                return real(decide)
            finally:
                ends.append(config_version.unconfirmed())

    monkeypatch.setattr(config_version, "believing", watched)
    name = warm.started()
    warm.start()  # too soon
    warm.start("+4930123456")  # a landline
    warm.start(client_id="nobody")
    warm.verify(name, "1")
    warm.verify(name, "000000")
    warm.verify(name, code_of(name))
    warm.verify(name, code_of(name))
    warm.verify("A" * 72, "000000")
    saved_elsewhere()
    warm.started("+85251234102")

    assert len(ends) >= 9
    assert set(ends) == {None}
