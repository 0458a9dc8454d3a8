"""Passkeys of staff (WebAuthn Level 3, checked by py_webauthn). The authenticator verifies the person, always.

py_webauthn is imported by the functions that need it: it is a fifteenth of a process's start, and few use it."""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from users.factor_models import Passkey
from users.models import User

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST = 20  # for one member of staff
_LONGEST_ANSWER = 64 * 1024
_LONGEST_ID = 1400
_ID = re.compile(rf"[A-Za-z0-9_=-]{{1,{_LONGEST_ID}}}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a passkey is made or used: `rp_id` is the host name, `origin` what the browser calls the page."""

    rp_id: str
    origin: str


class Refused(Exception):
    """An answer of a browser that proves nothing; the text says why, for the log."""


def registration_options(*, user_id: uuid.UUID, name: str, place: Place, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.create` takes, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=place.rp_id,
        rp_name="authsvc",
        user_name=name,
        user_id=user_id.bytes,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(user_id, place),
    )
    return dict(json.loads(options_to_json(options)))


def register(*, user_id: uuid.UUID, name: str, place: Place, challenge: bytes, answer: str) -> Passkey:
    """Store a new passkey. Raises Refused."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    _refuse_more_than_most(user_id)
    try:
        made = verify_registration_response(
            credential=_parsed(answer),
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(type(error).__name__) from error
    credential_id = urlsafe_base64_encode(made.credential_id)
    if len(credential_id) > _LONGEST_ID:
        raise Refused("id too long")
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user_id)  # of several at once, each counts those before
            _refuse_more_than_most(user_id)
            return Passkey.objects.create(
                user_id=user_id,
                name=name,
                rp_id=place.rp_id,
                credential_id=credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
            )
    except IntegrityError as error:
        raise Refused("known already") from error


def _refuse_more_than_most(user_id: uuid.UUID) -> None:
    if Passkey.objects.filter(user_id=user_id).count() >= MOST:
        raise Refused("too many passkeys")


def authentication_options(*, user_id: uuid.UUID, place: Place, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get` takes, as JSON."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=place.rp_id,
        challenge=challenge,
        allow_credentials=_descriptors(user_id, place),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(json.loads(options_to_json(options)))


def verify(
    *, user_id: uuid.UUID, place: Place, challenge: bytes, asked_at: datetime, answer: str, now: datetime
) -> Passkey:
    """The passkey that answered; `asked_at`: when the challenge was made. Raises Refused, also for one whose counter
    did not rise (it was copied), and for one that was used since it was asked."""
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    credential = _parsed(answer)
    credential_id = str(credential.get("id"))
    if not _ID.fullmatch(credential_id):  # a NUL and half a surrogate are errors of the database
        raise Refused("no id")
    rows = Passkey.objects.filter(user_id=user_id, rp_id=place.rp_id, credential_id=credential_id)
    passkey = rows.first()
    if passkey is None:
        raise Refused("unknown passkey")
    if passkey.used_at and passkey.used_at > asked_at:
        raise Refused("used since")
    try:
        proof = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(type(error).__name__) from error
    # What was compared must still be stored: of two posts of one answer, one is right. The count of synchronised
    # passkeys stays at 0, so that only the time of the last use tells them apart.
    same = Passkey.objects.filter(pk=passkey.pk, sign_count=passkey.sign_count, used_at=passkey.used_at)
    if not same.update(sign_count=proof.new_sign_count, used_at=now):
        raise Refused("used at the same time")
    return passkey


def exist(user_id: uuid.UUID, place: Place | None) -> bool:
    """Whether the user has one that works here."""
    return place is not None and Passkey.objects.filter(user_id=user_id, rp_id=place.rp_id).exists()


def _descriptors(user_id: uuid.UUID, place: Place) -> list["PublicKeyCredentialDescriptor"]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    ids = Passkey.objects.filter(user_id=user_id, rp_id=place.rp_id).values_list("credential_id", flat=True)
    return [PublicKeyCredentialDescriptor(id=urlsafe_base64_decode(value)) for value in ids]


def _parsed(answer: str) -> dict[str, Any]:
    """Raises Refused."""
    try:
        value = json.loads(answer) if len(answer) <= _LONGEST_ANSWER else None
    except (ValueError, RecursionError) as error:  # thousands of brackets
        raise Refused("no JSON") from error
    if not isinstance(value, dict):
        raise Refused("no JSON object")
    return value
