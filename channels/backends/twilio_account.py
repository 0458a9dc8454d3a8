"""What Twilio knows of an account. https://www.twilio.com/docs/iam/api/account"""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from channels import http
from channels.base import SenderConfig


@dataclass(frozen=True, kw_only=True)
class Account:
    """`problem` is empty when the credentials work. `status`: active, suspended or closed; `kind`: Full or Trial."""

    problem: str = ""
    status: str = ""
    kind: str = ""
    date: str = ""


def account(sender: SenderConfig, client: http.HttpClient) -> Account:
    """Raises AnswerLost, SendError when Twilio cannot be reached."""
    if not sender.account_sid or not sender.auth_tokens:
        return Account(problem="account SID or auth token is empty")
    basic = b64encode(f"{sender.account_sid}:{sender.auth_tokens[0]}".encode()).decode()
    url = f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{quote(sender.account_sid, safe='')}.json"
    answer = client.get(url, headers={"Authorization": f"Basic {basic}"})
    body = answer.json_object() or {}
    if not answer.is_taken or not body:
        code = body.get("code")
        problem = f"error {code}" if isinstance(code, int) else f"HTTP {answer.status}"
        return Account(problem=problem, date=answer.date)
    return Account(status=str(body.get("status", "")), kind=str(body.get("type", "")), date=answer.date)
