"""The calls of the headless API (interface.md section 6). What they take is in `inputs`, what they say in `answers`."""

from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request
from rest_framework.request import Request
from rest_framework.views import APIView

from api import answers, assertions, callers, docs, handles, idempotency, inputs, policy
from api.callers import Caller
from api.handles import Handle
from api.inputs import VerifyInput
from oidc import policy as oidc_policy
from oidc import services as oidc
from oidc.models import TokenFamily
from oidc.server import issuer_of
from oidc.types import Login
from otp import services
from otp.types import ChallengeView, Started, Verified
from users.models import session_hash

log = structlog.get_logger(__name__)


class Call(APIView):
    """One path. Callers prove themselves as clients (api.callers): there are no users, permissions or sessions here."""

    http_method_names = ["get", "head", "post"]

    def initial(self, request: Request, *_args: object, **_path: object) -> None:
        """Of all that DRF asks before a call only the form of the answer is a question here."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)


def _plain(request: Request) -> HttpRequest:
    """Django's own request, which the rest of the house knows."""
    return request._request  # noqa: SLF001 # documented by DRF, "Standard HttpRequest attributes"


def _body(request: Request) -> dict[str, Any]:
    """An object, if there is a body: api.parsers takes nothing else."""
    found: dict[str, Any] = request.data  # type: ignore[assignment] # for any parser
    return found


class Challenges(Call):
    @docs.start
    def post(self, request: Request) -> HttpResponse:
        """Starts a login: the code goes out by WhatsApp or SMS. The answer does not wait for it."""
        plain, asked = _plain(request), inputs.start(_body(request))
        caller = callers.starting(plain, client_id=asked.client_id)
        address = callers.address_of(plain, caller, asked.end_user_ip)
        wish = idempotency.read(plain, caller=caller, data=_body(request))
        wish.claim()
        started = services.started_before(
            project=caller.project, phone=asked.phone, form_token=wish.token
        ) or services.start_challenge(
            project=caller.project,
            phone=asked.phone,
            language=asked.locale or get_language_from_request(plain),
            origin=issuer_of(plain),
            address=address,
            form_token=wish.token,
            channel=asked.channel,
        )
        return _started(started, caller)


def _started(started: Started, caller: Caller) -> HttpResponse:
    name = handles.write(challenge_id=started.challenge_id, phone_key=started.phone_key, client=caller.client)
    view = started.view or services.describe(challenge_id=started.challenge_id)
    response = answers.json(answers.challenge(view, name=name), status=201)
    response.headers["Location"] = f"/api/v1/challenges/{name}"
    return response


class Challenge(Call):
    @docs.read
    def get(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """The live state, for polling until the code is typed."""
        _, handle = callers.owning(_plain(request), id)
        return answers.json(answers.challenge(_view(handle), name=id))


def _view(handle: Handle) -> ChallengeView:
    return services.describe(challenge_id=handle.challenge_id)


class ChallengeSend(Call):
    @docs.send
    def post(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """Sends the same code again, or over another channel. Wrong guesses stay counted."""
        caller, handle = callers.owning(_plain(request), id)
        asked = inputs.send(_body(request))
        services.resend(
            challenge_id=handle.challenge_id,
            address=callers.address_of(_plain(request), caller, asked.end_user_ip),
            channel=asked.channel,
        )
        return answers.json(answers.challenge(_view(handle), name=id), status=202)


class ChallengeVerify(Call):
    @docs.verify
    def post(self, request: Request, id: str) -> HttpResponse:  # noqa: A002 # the contract's name
        """Checks a code. The right one is good once: a repeat within seconds is a `challenge_consumed`, too."""
        plain = _plain(request)
        caller, handle = callers.owning(plain, id)
        asked = inputs.verify(_body(request))
        address = callers.address_of(plain, caller, asked.end_user_ip)
        if not asked.wants_assertion:
            return _sign_in(plain, caller, handle, asked, address)
        proven = services.prove_number(
            challenge_id=handle.challenge_id, code=asked.code, address=address, phone_key=handle.phone_key
        )
        return answers.json(
            assertions.sign(proven, client=caller.client, challenge=id, issuer=issuer_of(plain))
        )


def _sign_in(
    request: HttpRequest, caller: Caller, handle: Handle, asked: VerifyInput, address: str
) -> HttpResponse:
    begun: list[tuple[TokenFamily, str, str]] = []

    def begin(verified: Verified) -> None:
        begun.append(
            oidc.begin(
                client=caller.client,
                login=_login(verified),
                scopes=policy.scopes(caller.client.scopes),
                issuer=issuer_of(request),
                phone=verified.phone,
            )
        )

    verified = services.verify_challenge(
        challenge_id=handle.challenge_id,
        code=asked.code,
        address=address,
        phone_key=handle.phone_key,
        then=begin,
    )
    family = begun[0][0]
    log.info("oidc.tokens_given", family_id=str(family.id), user_id=str(family.user_id))
    given = oidc.signed(*begun[0])
    return answers.json(answers.tokens(given, verified=verified))


def _login(verified: Verified) -> Login:
    return Login(
        user_id=verified.user_id,
        sid=None,
        auth_time=verified.at,
        amr=oidc_policy.amr(sms_sent=verified.sms_sent),
        # People have no password: the column is empty (otp.store).
        session_hash=session_hash(password="", session_salt=verified.session_salt),
    )
