"""The documented fields of an answer are those that are rendered, and the login page shows the same challenge."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.serializers import responses
from channels.types import FailureReason, Status
from login.messages import live
from otp import services
from otp.models import Challenge, Delivery
from otp.types import ChallengeView
from tests.api.conftest import App


@pytest.fixture
def view(app: App) -> ChallengeView:
    app.started()
    Delivery.objects.update(status=Status.FAILED, reason=FailureReason.UNREACHABLE)
    return services.describe(challenge_id=Challenge.objects.get().id)


def test_a_challenge_has_the_documented_fields(view: ChallengeView) -> None:
    rendered = responses.Challenge.render(view, id="x")

    assert set(rendered) == set(responses.Challenge().fields)
    assert set(rendered["deliveries"][0]) == set(responses.Delivery().fields)


def test_tokens_have_the_documented_fields(app: App) -> None:
    tokens: dict[str, Any] = app.signed_in()

    assert set(tokens) == set(responses.Tokens().fields)
    assert set(tokens["user"]) == set(responses.User().fields)


def test_the_login_page_shows_the_same_challenge(view: ChallengeView) -> None:
    api = responses.Challenge.render(view, id="x")
    page = json.loads(json.dumps(live.payload(view, is_latest=True, now=datetime.now(UTC))))

    for name in ("phone_masked", "channel", "channels", "attempts_left", "state"):
        assert page[name] == api[name]
    for name in ("channel", "status", "error"):
        assert page["deliveries"][0][name] == api["deliveries"][0][name]
    assert datetime.fromisoformat(page["expires_at"]) == datetime.fromisoformat(api["expires_at"])
