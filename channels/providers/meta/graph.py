"""Questions to Meta's Graph API about accounts, for checks that operators start: never on the path of a message."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from channels import calls
from channels.base import SenderConfig
from channels.providers.meta.codes import NO_SUCH_OBJECT, error_code
from channels.providers.meta.settings import API, MetaSettings
from core import http

_SAID_LENGTH = 240
_SHORTEST_SECRET = 4
# The token is not valid (any more), or is no token at all. Meta, "Error codes".
_TOKEN_CODES = frozenset({0, 102, 104, 190, 463, 467})
# The object is not there, or not for this token.
_NOT_THERE_CODES = frozenset({803})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What Meta answers. `problem` is empty when it answered the question; `sentence` is its sentence about a problem,
    without any secret of the sender."""

    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    date: str = ""
    status: int = 0
    problem: str = ""
    sentence: str = ""
    code: int | None = None
    subcode: int | None = None

    @property
    def is_token_refused(self) -> bool:
        return self.code in _TOKEN_CODES

    @property
    def is_not_there(self) -> bool:
        return self.code in _NOT_THERE_CODES or (self.code, self.subcode) == NO_SUCH_OBJECT

    @property
    def why(self) -> str:
        """The problem with Meta's own sentence."""
        return f"{self.problem} ({self.sentence})" if self.sentence else self.problem

    @property
    def items(self) -> list[dict[str, Any]]:
        data = self.body.get("data")
        return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def get(
    client: http.HttpClient,
    sender: SenderConfig[MetaSettings],
    path: str,
    query: Mapping[str, str],
    *,
    token: str = "",
) -> Reply:
    """Asks with the sender's token, or with another one. Raises AnswerLost, SendError when Meta cannot be reached."""
    bearer = token or sender.settings.access_token.get_secret_value()
    if not sender.settings.phone_number_id or not bearer:
        return Reply(problem="phone number ID or access token is empty")
    answer = calls.get(client, _url(path, query), headers={"Authorization": f"Bearer {bearer}"})
    return _read(answer, sender)


def post(
    client: http.HttpClient, sender: SenderConfig[MetaSettings], path: str, payload: Mapping[str, object]
) -> Reply:
    """Changes something at Meta. Raises as `get` does."""
    bearer = sender.settings.access_token.get_secret_value()
    if not bearer:
        return Reply(problem="phone number ID or access token is empty")
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    answer = calls.post(client, _url(path, {}), content=json.dumps(payload).encode(), headers=headers)
    return _read(answer, sender)


def _url(path: str, query: Mapping[str, str]) -> str:
    return f"{API}/{quote(path)}{'?' if query else ''}{urlencode(query)}"


def _read(answer: http.Answer, sender: SenderConfig[MetaSettings]) -> Reply:
    body = answer.json_object() or {}
    error = body.get("error")
    if isinstance(error, dict):
        code, subcode = error_code(error), error.get("error_subcode")
        return Reply(
            body=body,
            date=answer.date,
            status=answer.status,
            problem=f"error {code}" if code is not None else f"HTTP {answer.status}",
            sentence=sentence(error, sender),
            code=code,
            subcode=subcode if isinstance(subcode, int) else None,
        )
    problem = "" if answer.is_taken and body else f"HTTP {answer.status}"
    return Reply(body=body, date=answer.date, status=answer.status, problem=problem)


def sentence(error: Mapping[str, Any], sender: SenderConfig[MetaSettings]) -> str:
    """Meta's sentence, with the details where it gives some. It repeats a malformed token: that is left out."""
    data = error.get("error_data")
    details = word(data, "details") if isinstance(data, dict) else data if isinstance(data, str) else ""
    texts = dict.fromkeys((word(error, "message"), word(error, "error_user_msg"), details))
    text = " ".join(" ".join(filter(None, texts)).split())
    return without_secrets(text, _secrets(sender))[:_SAID_LENGTH]


def _secrets(sender: SenderConfig[MetaSettings]) -> Iterable[str]:
    values = sender.settings
    for secret in (values.access_token, values.app_secret, values.app_secret_previous, values.verify_token):
        yield secret.get_secret_value()


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    known = [re.escape(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    return re.sub("|".join(known), "•••", text) if known else text


def word(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""
