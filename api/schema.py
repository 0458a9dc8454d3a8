"""The OpenAPI document of the API, and its description of each call."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from drf_spectacular import renderers
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import challenge_ids, problems
from api.errors import CODES
from api.serializers import requests, responses
from api.serializers.stats import Stats
from core.plain_response import PlainResponse

type Decorator = Callable[[Callable[..., PlainResponse]], Callable[..., PlainResponse]]

_JSON = "application/json"
# Public clients send no credentials.
_AUTH: Any = [{"basic": []}, {}]
_ID = OpenApiParameter(
    "id",
    {"type": "string", "pattern": challenge_ids.PATTERN},
    OpenApiParameter.PATH,
    description="The id of the challenge.",
)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!#-~]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body gives the same challenge and sends no second message. A different "
    "body is an invalid_request for 15 minutes.",
)
_RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    response=[429],
    description="Seconds.",
    required=True,
)
_SCHEME = OpenApiParameter(
    "WWW-Authenticate", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[401], required=True
)
# Any call may answer with these.
_ALWAYS = ("invalid_request", "invalid_client", "not_acceptable", "internal_error", "unavailable")
_WITH_BODY = ("too_large", "unsupported_media_type")
_OF_CHALLENGE = ("challenge_not_found",)
_OVER = ("challenge_consumed", "challenge_expired", "challenge_locked", "rate_limited")


def _responses(success: int, answer: Any, *codes: str) -> dict[Any, Any]:  # noqa: ANN401 # spectacular's own
    """The success, and one problem for each status of these codes."""
    by_status: dict[Any, Any] = {(success, _JSON): answer}
    for status in sorted({CODES[code][0] for code in codes}):
        words = ", ".join(f"`{code}`" for code in codes if CODES[code][0] == status)
        by_status[status, problems.CONTENT_TYPE] = OpenApiResponse(responses.Problem, description=words)
    return by_status


def _call(name: str, **more: Any) -> Decorator:  # noqa: ANN401 # spectacular's own
    headers = [_SCHEME] + ([_RETRY_AFTER] if any(key[0] == 429 for key in more["responses"]) else [])
    more["parameters"] = [*more.get("parameters", ()), *headers]
    return extend_schema(operation_id=name, **({"auth": _AUTH, "tags": ["challenges"]} | more))


start = _call(
    "start_challenge",
    summary="Start: send a code",
    request={_JSON: requests.Start},
    parameters=[_KEY],
    responses=_responses(
        201, responses.Challenge,
        *_ALWAYS, *_WITH_BODY, "invalid_phone", "country_not_allowed", "channel_not_allowed", "rate_limited",
    ),
)  # fmt: skip
read = _call(
    "read_challenge",
    summary="The live state",
    parameters=[_ID],
    responses=_responses(200, responses.Challenge, *_ALWAYS, *_OF_CHALLENGE, "rate_limited"),
)
send = _call(
    "send_again",
    summary="Send the same code again, or over another channel",
    request={_JSON: requests.Send},
    parameters=[_ID],
    responses=_responses(
        202, responses.Challenge, *_ALWAYS, *_WITH_BODY, *_OF_CHALLENGE, *_OVER, "channel_not_allowed"
    ),
)
verify = _call(
    "verify_code",
    summary="Check the code: sign in, or only prove the number",
    request={_JSON: requests.Verify},
    parameters=[_ID],
    responses=_responses(
        200,
        PolymorphicProxySerializer(
            component_name="Verified",
            serializers=[responses.Tokens, responses.Assertion],
            resource_type_field_name=None,
        ),
        *_ALWAYS, *_WITH_BODY, *_OF_CHALLENGE, *_OVER, "wrong_code", "user_blocked",
    ),
)  # fmt: skip

stats = _call(
    "read_stats",
    summary="Statistics, for machines of staff",
    auth=[{"stats_token": []}],
    tags=["stats"],
    parameters=[
        OpenApiParameter("from", OpenApiTypes.DATE, description="The first day, in UTC. Else 30 days until `to`."),
        OpenApiParameter("to", OpenApiTypes.DATE, description="The last day. Else today."),
        OpenApiParameter("project", OpenApiTypes.UUID, description="Else all that the token may read."),
    ],
    responses=_responses(
        200, Stats,
        "invalid_request", "invalid_token", "not_acceptable", "rate_limited", "internal_error", "unavailable",
    ),
)  # fmt: skip


@cache
def document() -> Mapping[str, Any]:
    """OpenAPI 3.1. Made once: it is the same for everybody and costs tens of milliseconds."""
    generator: Any = SchemaGenerator(urlconf="api.urls")  # type: ignore[no-untyped-call] # not annotated
    openapi: Mapping[str, Any] = generator.get_schema(request=None, public=True)
    return openapi


class Schema(APIView):
    """JSON, or YAML for those who ask for it."""

    renderer_classes = [
        renderers.OpenApiJsonRenderer2,
        renderers.OpenApiJsonRenderer,
        renderers.OpenApiYamlRenderer2,
        renderers.OpenApiYamlRenderer,
    ]
    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        return Response(document(), headers={"Cache-Control": "public, max-age=300"})
