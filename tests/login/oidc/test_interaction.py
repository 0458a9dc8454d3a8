"""Who is shown what, over every situation: the function against the words of OpenID Connect Core 3.1.2.1."""

import itertools
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from login.oidc.interaction import AuthorizationRequest, Situation, Step, next_step


def step(prompt: str = "", **changes: object) -> Step:
    """A person who signed in at 100 asks at 200, for a first-party client, unless a test says otherwise."""
    request: dict[str, object] = {"prompt": frozenset(prompt.split()), "max_age": None, "asked_at": None}
    situation: dict[str, object] = {
        "auth_time": 100.0,
        "is_expected_person": True,
        "consented_at": None,
        "is_first_party": True,
        "now": 200.0,
    }
    for name, value in changes.items():
        (request if name in request else situation)[name] = value
    return next_step(AuthorizationRequest(**request), Situation(**situation))  # type: ignore[arg-type] # of the right types


PARTNER = {"is_first_party": False}


@pytest.mark.parametrize(
    ("prompt", "changes", "expected"),
    [
        # Not signed in.
        ("", {"auth_time": None}, Step.LOGIN),
        ("none", {"auth_time": None}, Step.LOGIN_REQUIRED),
        ("login", {"auth_time": None, "asked_at": 150.0}, Step.LOGIN),
        ("select_account", {"auth_time": None}, Step.LOGIN),
        ("consent", {"auth_time": None} | PARTNER, Step.LOGIN),
        # Signed in: nothing more is needed.
        ("", {}, Step.GRANT),
        ("none", {}, Step.GRANT),
        ("", {"asked_at": 150.0}, Step.GRANT),
        # A login as such: satisfied from the very moment on at which its page was shown.
        ("login", {}, Step.LOGIN),
        ("login", {"asked_at": 100.0}, Step.GRANT),
        ("login", {"asked_at": 100.1}, Step.LOGIN),
        ("login", {"asked_at": 99.9}, Step.GRANT),
        ("login", {"asked_at": 0.0}, Step.GRANT),
        # An age: from this second on too old, unless the login was for this request.
        ("", {"max_age": 100}, Step.GRANT),
        ("", {"max_age": 1000}, Step.GRANT),
        ("", {"max_age": 99}, Step.LOGIN),
        ("", {"max_age": 0}, Step.LOGIN),
        ("", {"max_age": 0, "asked_at": 100.0}, Step.GRANT),
        ("", {"max_age": 0, "asked_at": 101.0}, Step.LOGIN),
        ("none", {"max_age": 99}, Step.LOGIN_REQUIRED),
        ("none", {"max_age": 100}, Step.GRANT),
        ("", {"max_age": 0, "auth_time": 200.0}, Step.GRANT),
        # Another person is expected: one more login, and then it is an error.
        ("", {"is_expected_person": False}, Step.LOGIN),
        ("none", {"is_expected_person": False}, Step.LOGIN_REQUIRED),
        ("", {"is_expected_person": False, "asked_at": 101.0}, Step.LOGIN),
        ("", {"is_expected_person": False, "asked_at": 100.0}, Step.LOGIN_REQUIRED),
        ("login", {"is_expected_person": False, "asked_at": 100.0}, Step.LOGIN_REQUIRED),
        ("select_account", {"is_expected_person": False}, Step.LOGIN),
        # A choice: shown once.
        ("select_account", {}, Step.CHOOSE),
        ("select_account", {"asked_at": 150.0}, Step.GRANT),
        ("select_account", {"asked_at": 0.0}, Step.GRANT),
        ("select_account login", {}, Step.LOGIN),
        ("select_account login", {"asked_at": 100.0}, Step.GRANT),
        ("select_account", {"max_age": 0}, Step.LOGIN),
        ("select_account consent", PARTNER, Step.CHOOSE),
        # Consent: of third parties alone.
        ("consent", {}, Step.GRANT),
        ("", PARTNER, Step.CONSENT),
        ("none", PARTNER, Step.CONSENT_REQUIRED),
        ("", PARTNER | {"consented_at": 1.0}, Step.GRANT),
        ("", PARTNER | {"consented_at": 0.0}, Step.GRANT),
        ("none", PARTNER | {"consented_at": 50.0}, Step.GRANT),
        ("", PARTNER | {"consented_at": 50.0, "asked_at": 150.0}, Step.GRANT),
        ("consent", PARTNER | {"consented_at": 50.0}, Step.CONSENT),
        ("consent", PARTNER | {"consented_at": 200.0}, Step.CONSENT),
        ("consent", PARTNER | {"consented_at": 200.5}, Step.CONSENT),
        ("consent", PARTNER | {"consented_at": 149.9, "asked_at": 150.0}, Step.CONSENT),
        ("consent", PARTNER | {"consented_at": 150.0, "asked_at": 150.0}, Step.GRANT),
        ("consent", PARTNER | {"consented_at": 150.1, "asked_at": 150.0}, Step.GRANT),
        ("consent", PARTNER | {"asked_at": 150.0}, Step.CONSENT),
        ("consent", PARTNER | {"consented_at": 0.0, "asked_at": 0.0}, Step.GRANT),
        ("consent login", PARTNER | {"asked_at": 99.0, "consented_at": 98.0}, Step.CONSENT),
        ("consent login", PARTNER | {"asked_at": 99.0, "consented_at": 120.0}, Step.GRANT),
        ("consent login", PARTNER | {"asked_at": 120.0, "consented_at": 130.0}, Step.LOGIN),
    ],
)
def test_each_situation_has_its_step(prompt: str, changes: dict[str, object], expected: Step) -> None:
    assert step(prompt, **changes) is expected


PROMPTS = [
    " ".join(words)
    for count in range(4)
    for words in itertools.combinations(("login", "consent", "select_account"), count)
]
MOMENTS = (None, 99.0, 100.0, 101.0, 199.0, 200.0)


@pytest.mark.parametrize("prompt", ["none", *PROMPTS])
def test_over_every_situation(prompt: str) -> None:
    """What may never be, whatever else is true."""
    for auth_time, expected, consented, first, max_age, asked_at in itertools.product(
        (None, 100.0, 150.0), (True, False), MOMENTS, (True, False), (None, 0, 49, 50, 99, 100), MOMENTS
    ):
        found = step(
            prompt,
            auth_time=auth_time,
            is_expected_person=expected,
            consented_at=consented,
            is_first_party=first,
            max_age=max_age,
            asked_at=asked_at,
        )
        answered = auth_time is not None and asked_at is not None and auth_time >= asked_at
        if prompt == "none":
            assert found in (Step.GRANT, Step.LOGIN_REQUIRED, Step.CONSENT_REQUIRED)
        else:
            assert found is not Step.CONSENT_REQUIRED
            assert found is not Step.LOGIN_REQUIRED or (answered and not expected)
        if found is Step.GRANT:
            assert auth_time is not None
            assert expected
            assert answered or "login" not in prompt
            assert answered or max_age is None or 200.0 - auth_time <= max_age
            assert "select_account" not in prompt or asked_at is not None
            assert first or consented is not None
            asks_again = "consent" in prompt and not first
            assert not asks_again or (
                asked_at is not None and consented is not None and consented >= asked_at
            )
        if found is Step.CHOOSE:
            assert "select_account" in prompt
            assert asked_at is None
        if found in (Step.CONSENT, Step.CONSENT_REQUIRED):
            assert not first
            assert auth_time is not None
            assert expected


def test_what_is_asked_is_a_value() -> None:
    """Keyword-only and frozen: times cannot be swapped by position or changed later."""
    request = AuthorizationRequest(prompt=frozenset(), max_age=None, asked_at=None)
    situation = Situation(
        auth_time=1.0, is_expected_person=True, consented_at=None, is_first_party=True, now=2.0
    )

    for value, name in ((request, "asked_at"), (situation, "auth_time")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 0.0)
        with pytest.raises(TypeError):
            replace_by_position(type(value), value)


def replace_by_position(kind: Any, value: object) -> object:
    return kind(*vars(value).values())


def test_the_words_are_those_of_the_protocol() -> None:
    """They go back to the client as they are."""
    assert (Step.LOGIN_REQUIRED.value, Step.CONSENT_REQUIRED.value) == ("login_required", "consent_required")
    assert len(Step) == 6
