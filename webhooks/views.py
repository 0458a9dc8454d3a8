"""What providers call: authenticate, translate, hand over, answer. Nothing is believed before its signature is.

200 is answered only once the reports are committed: everything else is repeated by the provider, which is harmless.
"""

import hmac
from collections.abc import Callable
from functools import wraps

import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels.senders import senders
from channels.types import Provider
from otp import services
from projects import metrics
from webhooks import meta, meta_items, twilio
from webhooks.errors import Malformed, Unreadable, Untrusted

log = structlog.get_logger(__name__)

MAX_META_BYTES = 4 * 1024 * 1024  # Meta sends 3 MB at most
MAX_TWILIO_BYTES = 64 * 1024
_LONGEST_CHALLENGE = 256
_LONGEST_TOKEN = 1024

type View = Callable[[HttpRequest], HttpResponse]


class _TooLarge(Exception):
    """A body over the limit."""


def _answer(status: int, text: str = "") -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def _body(request: HttpRequest, *, limit: int) -> bytes:
    """The raw body. Raises _TooLarge, and UnreadablePostError when the caller went away."""
    try:
        declared = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        declared = 0
    if declared > limit:
        raise _TooLarge
    body = request.read(limit + 1)
    if len(body) > limit:
        raise _TooLarge
    return body


def _guarded(view: View) -> View:
    """Translate what can go wrong around a report into the status that makes its provider do the right thing."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        answer = answered(request)
        if request.method == "POST":
            metrics.WEBHOOKS.labels(view.__name__, str(answer.status_code)).inc()
        return answer

    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Untrusted as error:
            log.warning("webhook.refused", path=request.path, why=error.why)
            return _answer(401)
        except (Malformed, UnreadablePostError) as error:
            log.warning("webhook.malformed", path=request.path, error=type(error).__name__)
            return _answer(400)
        except _TooLarge:
            log.warning("webhook.too_large", path=request.path)
            return _answer(413)
        except DatabaseTrouble as error:
            # Without its text, which can quote a message id, and that holds a number.
            log.error("webhook.not_stored", path=request.path, error=type(error).__name__)  # noqa: TRY400
            return _answer(503)

    return guarded


@csrf_exempt
@require_http_methods(["GET", "POST"])
@_guarded
def whatsapp(request: HttpRequest) -> HttpResponse:
    """Meta's verification (GET) and reports (POST)."""
    return _verify_whatsapp(request) if request.method == "GET" else _receive_whatsapp(request)


def _verify_whatsapp(request: HttpRequest) -> HttpResponse:
    challenge = request.GET.get("hub.challenge", "")
    given = request.GET.get("hub.verify_token", "")
    is_ours = False
    if given and len(given) <= _LONGEST_TOKEN:
        for sender in senders.get().of_provider(Provider.META):  # all of them, always: the time tells nothing
            token = sender.verify_token
            is_ours |= bool(token) and hmac.compare_digest(token.encode(), given.encode())
    if not is_ours or request.GET.get("hub.mode") != "subscribe":
        log.warning("webhook.verification_refused", path=request.path)
        return _answer(403)
    if len(challenge) > _LONGEST_CHALLENGE:
        return _answer(400)
    return _answer(200, challenge)


def _receive_whatsapp(request: HttpRequest) -> HttpResponse:
    body = _body(request, limit=MAX_META_BYTES)
    changes = meta.authenticate(
        meta.read(body),
        body=body,
        signature=request.headers.get("X-Hub-Signature-256", ""),
        senders=senders.get().of_provider(Provider.META),
    )
    items = meta_items.translate(changes)
    for notice in items.notices:
        log.warning("whatsapp.notice", kind=notice.kind, **notice.details)
    if items.unreadable:
        log.warning("webhook.unreadable_items", path=request.path, count=items.unreadable)
    if items.updates:
        services.record_status_updates(items.updates)
    if items.disavowals:
        services.revoke_disavowed(items.disavowals)
    return _answer(200)


@csrf_exempt
@require_http_methods(["POST"])
@_guarded
def twilio_status(request: HttpRequest) -> HttpResponse:
    """Twilio's status callback."""
    form = QueryDict(_body(request, limit=MAX_TWILIO_BYTES), encoding="utf-8")
    sender_ids = twilio.authenticate(
        form,
        url=_public_url(request),
        signature=request.headers.get("X-Twilio-Signature", ""),
        senders=senders.get().of_provider(Provider.TWILIO),
    )
    delivery = request.GET.get("delivery", "")
    try:
        update = twilio.translate(form, delivery=delivery, sender_ids=sender_ids, now=timezone.now())
    except Unreadable:
        log.warning("webhook.unreadable_items", path=request.path, count=1)
        return _answer(200)  # signed, and no better the second time
    if update:
        services.record_status_updates([update])
    return _answer(200)


def _public_url(request: HttpRequest) -> str:
    """The URL as Twilio called it, which is part of what it signs."""
    origin = settings.AUTHSVC_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return f"{origin}{request.get_full_path()}"
