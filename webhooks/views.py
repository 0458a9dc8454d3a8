"""What providers call: authenticate, translate, hand over, answer. Nothing is believed before its signature is.

200 is answered only once the reports are committed: everything else is repeated by the provider, which is harmless.
"""

from collections.abc import Callable

import structlog
from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core import config_version, metrics
from core.plain_response import PlainResponse
from webhooks.base import BELIEVED, Webhook, answer
from webhooks.bodies import Body, TooLarge
from webhooks.errors import Malformed, Untrusted

log = structlog.get_logger(__name__)


def view_of(webhook: Webhook) -> Callable[[HttpRequest], HttpResponse]:
    @csrf_exempt
    @require_http_methods(["GET", "POST"] if webhook.verify else ["POST"])
    def view(request: HttpRequest) -> HttpResponse:
        return respond(webhook, request).as_response()

    return view


def respond(webhook: Webhook, request: HttpRequest) -> PlainResponse:
    """To a GET where the webhook is verified by one, and to a POST."""
    response = _guarded(webhook, request)
    if request.method == "POST":
        metrics.count(metrics.WEBHOOKS, webhook.name, str(response.status))
    return response


def _guarded(webhook: Webhook, request: HttpRequest) -> PlainResponse:
    """Translate what can go wrong around a report into the status that makes its provider do the right thing."""
    try:
        return _answered(webhook, request)
    except Untrusted as error:
        log.warning("webhook.refused", path=request.path, why=error.why)
        return answer(401)
    except (Malformed, UnreadablePostError) as error:
        log.warning("webhook.malformed", path=request.path, error=type(error).__name__)
        return answer(400)
    except TooLarge:
        log.warning("webhook.too_large", path=request.path)
        return answer(413)
    except DatabaseTrouble as error:
        # Without its text, which can quote a message id, and that holds a number.
        log.error("webhook.not_stored", path=request.path, error=type(error).__name__)  # noqa: TRY400
        return answer(503)


def _answered(webhook: Webhook, request: HttpRequest) -> PlainResponse:
    """The header first, then the raw body, then what it says: nothing is done for a caller that has not passed so
    far."""
    if request.method == "GET" and webhook.verify:
        return webhook.verify(request)
    body = Body(request, limit=webhook.limit)
    webhook.signature_of(request)
    config_version.believe(seconds=BELIEVED)
    webhook.receive(request, body.read)
    return answer(200)
