"""The calls of the headless API (docs/contract.md, section 6).

What they take is in `serializers.requests`, what they answer in `serializers.responses`.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_from_request

from api import authentication, challenge_ids, idempotency, parsers, phone_assertion, schema
from api.authentication import Caller
from api.calls import Call
from api.challenge_ids import Handle
from api.http import json_answer
from api.parsers import Sent
from api.serializers import requests, responses
from api.serializers.requests import StartInput, VerifyInput
from core import config_version
from core.plain_response import PlainResponse
from oidc import services as oidc
from oidc.server import issuer_of
from oidc.types import Login
from otp import services
from otp.errors import WrongPurpose
from otp.models import Purpose
from otp.types import Refused, Started, Verified
from users import amr

# Those of a client that make sense without a browser: `profile` holds nothing that an application with its own screens
# would show.
_SCOPES = ("openid", "phone", "offline_access")


class Challenges(Call):
    @schema.start
    def post(self, request: HttpRequest) -> PlainResponse:
        """Starts a login: the code goes out by WhatsApp or SMS. The answer does not wait for it."""
        body = parsers.read(request).parse()
        asked = requests.start(body)
        return config_version.believing(lambda: _start(request, asked, body))


def _start(request: HttpRequest, asked: StartInput, body: Mapping[str, Any]) -> PlainResponse:
    caller = authentication.authenticate(request, client_id=asked.client_id)
    address = authentication.address_of(request, caller, asked.end_user_ip)
    key = idempotency.read(request, caller=caller, data=body)
    key.claim()
    started = services.started_before(
        project=caller.project, phone=asked.phone, form_token=key.token
    ) or services.start_challenge(
        project=caller.project,
        phone=asked.phone,
        language=asked.locale or _language_of(request),
        origin=issuer_of(request),
        address=address,
        form_token=key.token,
        channel=asked.channel,
        purpose=asked.purpose,
    )
    return _started(started, caller, asked.purpose)


def _language_of(request: HttpRequest) -> str:
    """Of the browser behind the call, where its headers are passed on."""
    if "HTTP_ACCEPT_LANGUAGE" in request.META or "HTTP_COOKIE" in request.META:
        return get_language_from_request(request)
    return settings.LANGUAGE_CODE


def _started(started: Started, caller: Caller, purpose: Purpose) -> PlainResponse:
    name = challenge_ids.write(
        challenge_id=started.challenge_id,
        phone_key=started.phone_key,
        client=caller.client,
        purpose=purpose,
    )
    view = started.view or services.describe(challenge_id=started.challenge_id)
    answer = json_answer(responses.Challenge.render(view, id=name), status=201)
    answer.headers["Location"] = f"/api/v1/challenges/{name}"
    return answer


class Challenge(Call):
    @schema.read
    def get(self, request: HttpRequest, id: str) -> PlainResponse:  # noqa: A002 # the contract's name
        """The live state, for polling until the code is typed."""
        _, handle, _purpose = authentication.authenticate_owner(request, id)
        view = services.describe(challenge_id=handle.challenge_id)
        return json_answer(responses.Challenge.render(view, id=id))


class ChallengeSend(Call):
    @schema.send
    def post(self, request: HttpRequest, id: str) -> PlainResponse:  # noqa: A002 # the contract's name
        """Sends the same code again, or over another channel. Wrong guesses stay counted."""
        caller, handle, _purpose = authentication.authenticate_owner(request, id)
        asked = requests.send(parsers.read(request).parse())
        services.resend(
            challenge_id=handle.challenge_id,
            address=authentication.address_of(request, caller, asked.end_user_ip),
            channel=asked.channel,
        )
        view = services.describe(challenge_id=handle.challenge_id)
        return json_answer(responses.Challenge.render(view, id=id), status=202)


class ChallengeVerify(Call):
    @schema.verify
    def post(self, request: HttpRequest, id: str) -> PlainResponse:  # noqa: A002 # the contract's name
        """Checks a code. The right one is good once: a repeat within seconds is a `challenge_consumed`, too."""
        sent = parsers.read(request)
        return config_version.believing(lambda: _verify(request, id, sent))


def _verify(request: HttpRequest, name: str, sent: Sent) -> PlainResponse:
    caller, handle, purpose = authentication.authenticate_owner(request, name)
    asked = requests.verify(sent.parse())
    address = authentication.address_of(request, caller, asked.end_user_ip)
    if asked.purpose not in (None, purpose):
        raise WrongPurpose
    if purpose is Purpose.LOGIN:
        return _sign_in(request, caller, handle, asked, address)
    proven = services.prove_number(challenge_id=handle.challenge_id, code=asked.code, address=address)
    if isinstance(proven, Refused):
        raise proven.error
    return json_answer(
        phone_assertion.sign(proven, client=caller.client, challenge=name, issuer=issuer_of(request))
    )


def _sign_in(
    request: HttpRequest, caller: Caller, handle: Handle, asked: VerifyInput, address: str
) -> PlainResponse:
    tokens = oidc.new_tokens(
        client=caller.client,
        scopes=[scope for scope in _SCOPES if scope in caller.client.scopes],
        issuer=issuer_of(request),
    )
    outcome = services.verify_challenge(
        challenge_id=handle.challenge_id,
        code=asked.code,
        address=address,
        opens=services.Opens(
            write=lambda verified: tokens.store(_login(verified)),
            queries=tokens.queries(),
            names={"family_id": str(tokens.family_id)},
        ),
    )
    if isinstance(outcome, Refused):
        raise outcome.error
    signed = oidc.sign_tokens(
        tokens,
        user_id=outcome.user_id,
        phone=outcome.phone,
        auth_time=outcome.at,
        amr=amr.methods(sms_sent=outcome.sms_sent),
    )
    return json_answer(responses.Tokens.render(signed, verified=outcome))


def _login(verified: Verified) -> Login:
    return Login(
        user_id=verified.user_id,
        sid=None,
        auth_time=verified.at,
        amr=amr.methods(sms_sent=verified.sms_sent),
        session_hash=verified.session_hash,
    )
