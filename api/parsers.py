"""The body of a request: JSON, small, an object."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import UnreadablePostError
from rest_framework.parsers import BaseParser

from api.errors import Problem

MOST_BYTES = 16 * 1024


class SmallJSONParser(BaseParser):
    """Raises Problem for everything else."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,  # noqa: ANN401 # DRF's signature
        media_type: str | None = None,  # noqa: ARG002 # DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 # DRF's signature
    ) -> dict[str, Any]:
        try:
            body = stream.read(MOST_BYTES + 1)
            if len(body) > MOST_BYTES:
                raise Problem("too_large")
            found = json.loads(body.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise Problem("invalid_request", "The body is not JSON.") from error
        except UnreadablePostError as error:
            raise Problem("invalid_request", "The body did not arrive.") from error
        if not isinstance(found, dict):
            raise Problem("invalid_request", "The body must be a JSON object.")
        return found


def _refuse(word: str) -> NoReturn:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(word)
