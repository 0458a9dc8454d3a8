"""JSON as calls of the API answer it."""

from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from core.plain_response import PlainResponse

_encode = DjangoJSONEncoder().encode


def json_answer(
    data: Mapping[str, Any], *, status: int = 200, content_type: str = "application/json"
) -> PlainResponse:
    """Never stored: it is true for a moment, or holds tokens."""
    headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
    return PlainResponse(status=status, headers=headers, body=_encode(data).encode())
