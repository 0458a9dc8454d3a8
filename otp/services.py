"""The life of a challenge. Views, tasks and admin call these; decisions: `otp.policy`, hot writes: `otp.store`."""

import uuid
from collections.abc import Callable, Sequence

from channels.types import Channel, Disavowal, StatusUpdate
from otp.types import ChallengeView, Started, Verified
from projects.config import ProjectConfig
from users.phones import Phone


def start_challenge(
    *,
    project: ProjectConfig,
    phone: Phone,
    language: str,
    origin: str,
    address: str,
    form_token: str = "",
    channel: Channel | None = None,
    replaces: uuid.UUID | None = None,
) -> Started:
    """Begin to prove `phone`: charge the limits, choose the channel, commit, ring. Never waits for a provider.

    The same `form_token` and phone give the same challenge, however often and in parallel. `replaces` is this
    browser's earlier challenge: when it is pending for the same number it goes on (no new message inside the resend
    wait), otherwise it is ended. `channel` is an explicit choice and is never turned into another.

    Raises CountryNotAllowed, ChannelNotAllowed, RateLimited, Unavailable, InvalidPhone.
    """
    raise NotImplementedError


def resend(*, challenge_id: uuid.UUID, address: str, channel: Channel | None = None) -> None:
    """Send the same code again: on the channel in use, or on the one that the user chose.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, ChannelNotAllowed, RateLimited,
    Unavailable.
    """
    raise NotImplementedError


def verify_challenge(
    *,
    challenge_id: uuid.UUID,
    code: str,
    address: str,
    phone_key: str = "",
    then: Callable[[Verified], None] = lambda _verified: None,
) -> Verified:
    """Judge a typed code (any digits, spaces and dashes). Counted before it is judged, consumed exactly once.

    `then` runs in the same transaction as the consumption: a login is there whole or not at all.

    Raises ChallengeNotFound, ChallengeExpired, ChallengeConsumed, ChallengeLocked, WrongCode, RateLimited, UserBlocked.
    """
    raise NotImplementedError


def cancel(*, challenge_id: uuid.UUID) -> None:
    """The person gave up or wants another number: nothing more is sent. Safe to repeat."""
    raise NotImplementedError


def describe(*, challenge_id: uuid.UUID) -> ChallengeView:
    """The live state for a page or an API answer. Raises ChallengeNotFound."""
    raise NotImplementedError


def record_status_updates(updates: Sequence[StatusUpdate]) -> None:
    """Store what a provider reports, in any order and number; commits before it returns."""
    raise NotImplementedError


def revoke_disavowed(disavowals: Sequence[Disavowal]) -> None:
    """End the challenges whose receivers say that they did not ask for a code."""
    raise NotImplementedError
