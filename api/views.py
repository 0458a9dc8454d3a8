"""The calls of the headless API (docs/contract.md, section 6).

What they take is in `serializers.requests`, what they answer in `serializers.responses`.
"""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language_from_request
from rest_framework.request import Request
from rest_framework.views import APIView

from api import authentication, challenge_ids, idempotency, phone_assertion, schema
from api.authentication import Caller
from api.challenge_ids import Handle
from api.serializers import requests, responses
from api.serializers.requests import VerifyInput
from oidc import services as oidc
from oidc.server import issuer_of
from oidc.types import Login
from otp import services
from otp.errors import WrongPurpose
from otp.models import Purpose
from otp.types import Refused, Started, Verified
from users import amr
from users.models import session_hash

log = structlog.get_logger(__name__)

# Those of a client that make sense without a browser: `profile` holds nothing that an application with its own screens
# would show.
_SCOPES = ("openid", "phone", "offline_access")


class Call(APIView):
    """One path. Callers are clients (api.authentication): there are no users, permissions or sessions here."""

    http_method_names = ["get", "head", "post"]

    def initial(self, request: Request, *_args: object, **_path: object) -> None:
        """Of DRF's checks before a call only content negotiation applies here."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)


def _plain(request: Request) -> HttpRequest:
    """Django's own request, which the other packages take."""
    return request._request  # noqa: SLF001 # documented by DRF, "Standard HttpRequest attributes"


def json_answer(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Never stored: it is true for a moment, or holds tokens."""
    return JsonResponse(data, status=status, headers={"Cache-Control": "no-store"})


def _body(request: Request) -> dict[str, Any]:
    """An object, if there is a body: api.parsers takes nothing else."""
    data: dict[str, Any] = request.data  # type: ignore[assignment] # for any parser
    return data


class Challenges(Call):
    @schema.start
    def post(self, request: Request) -> HttpResponse:
        """Starts a login: the code goes out by WhatsApp or SMS. The answer does not wait for it."""
        plain, asked = _plain(request), requests.start(_body(request))
        caller = authentication.authenticate(plain, client_id=asked.client_id)
        address = authentication.address_of(plain, caller, asked.end_user_ip)
        key = idempotency.read(plain, caller=caller, data=_body(request))
        key.claim()
        started = services.started_before(
            project=caller.project, phone=asked.phone, form_token=key.token
        ) or services.start_challenge(
            project=caller.project,
            phone=asked.phone,
            language=asked.locale or get_language_from_request(plain),
            origin=issuer_of(plain),
            address=address,
            form_token=key.token,
            channel=asked.channel,
            purpose=asked.purpose,
        )
        return _started(started, caller, asked.purpose)


def _started(started: Started, caller: Caller, purpose: Purpose) -> HttpResponse:
    name = challenge_ids.write(
        challenge_id=started.challenge_id,
        phone_key=started.phone_key,
        client=caller.client,
        purpose=purpose,
    )
    view = started.view or services.describe(challenge_id=started.challenge_id)
    response = json_answer(responses.Challenge.render(view, id=name), status=201)
    response.headers["Location"] = f"/api/v1/challenges/{name}"
    return response


class Challenge(Call):
    @schema.read
    def get(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """The live state, for polling until the code is typed."""
        _, handle, _purpose = authentication.authenticate_owner(_plain(request), id)
        view = services.describe(challenge_id=handle.challenge_id)
        return json_answer(responses.Challenge.render(view, id=id))


class ChallengeSend(Call):
    @schema.send
    def post(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """Sends the same code again, or over another channel. Wrong guesses stay counted."""
        caller, handle, _purpose = authentication.authenticate_owner(_plain(request), id)
        asked = requests.send(_body(request))
        services.resend(
            challenge_id=handle.challenge_id,
            address=authentication.address_of(_plain(request), caller, asked.end_user_ip),
            channel=asked.channel,
        )
        view = services.describe(challenge_id=handle.challenge_id)
        return json_answer(responses.Challenge.render(view, id=id), status=202)


class ChallengeVerify(Call):
    @schema.verify
    def post(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """Checks a code. The right one is good once: a repeat within seconds is a `challenge_consumed`, too."""
        plain = _plain(request)
        caller, handle, purpose = authentication.authenticate_owner(plain, id)
        asked = requests.verify(_body(request))
        address = authentication.address_of(plain, caller, asked.end_user_ip)
        if asked.purpose not in (None, purpose):
            raise WrongPurpose
        if purpose is Purpose.LOGIN:
            return _sign_in(plain, caller, handle, asked, address)
        proven = services.prove_number(challenge_id=handle.challenge_id, code=asked.code, address=address)
        if isinstance(proven, Refused):
            raise proven.error
        return json_answer(
            phone_assertion.sign(proven, client=caller.client, challenge=id, issuer=issuer_of(plain))
        )


def _sign_in(
    request: HttpRequest, caller: Caller, handle: Handle, asked: VerifyInput, address: str
) -> HttpResponse:
    with services.verify_challenge(
        challenge_id=handle.challenge_id, code=asked.code, address=address
    ) as verified:
        if isinstance(verified, Refused):
            raise verified.error
        family, access_token, refresh_token = oidc.issue_tokens(
            client=caller.client,
            login=_login(verified),
            scopes=[scope for scope in _SCOPES if scope in caller.client.scopes],
            issuer=issuer_of(request),
            phone=verified.phone,
        )
    log.info("oidc.tokens_given", family_id=str(family.id), user_id=str(family.user_id))
    tokens = oidc.sign_tokens(family, access_token, refresh_token)
    return json_answer(responses.Tokens.render(tokens, verified=verified))


def _login(verified: Verified) -> Login:
    return Login(
        user_id=verified.user_id,
        sid=None,
        auth_time=verified.at,
        amr=amr.methods(sms_sent=verified.sms_sent),
        # People have no password: the column is empty (otp.store).
        session_hash=session_hash(password="", session_salt=verified.session_salt),
    )
