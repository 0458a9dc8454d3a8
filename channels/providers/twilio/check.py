"""What Twilio says of an account, for the doctor. https://www.twilio.com/docs/iam/api/account"""

from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

from channels import calls
from channels.base import SenderConfig
from channels.findings import Finding, clock, fail, ok, warn
from channels.providers.twilio.settings import API, TwilioSettings
from core.http import HttpClient

_REMEDY = "Store the account SID with its current auth token."


def check(sender: SenderConfig[TwilioSettings], public_url: str, client: HttpClient) -> Iterator[Finding]:
    sid, auth_tokens = sender.settings.account_sid, sender.settings.auth_tokens
    if not sid or not auth_tokens:
        yield fail("Twilio refuses it: account SID or auth token is empty", _REMEDY)
        return
    basic = b64encode(f"{sid}:{auth_tokens[0]}".encode()).decode()
    url = f"{API}/2010-04-01/Accounts/{quote(sid, safe='')}.json"
    answer = calls.get(client, url, headers={"Authorization": f"Basic {basic}"})
    yield from clock(answer.date)
    body = answer.json_object() or {}
    if not answer.is_taken or not body:
        code = body.get("code")
        problem = f"error {code}" if isinstance(code, int) else f"HTTP {answer.status}"
        yield fail(f"Twilio refuses it: {problem}", _REMEDY)
        return
    yield _state(status=str(body.get("status", "")), kind=str(body.get("type", "")))
    if not public_url:
        yield warn("AUTHSVC_PUBLIC_URL is not set: reports come to the address people use", "Set it.")


def _state(*, status: str, kind: str) -> Finding:
    if status != "active":
        return fail(f"the account is {status}", "Twilio's console says why.")
    if kind == "Trial":
        return warn("a trial account: only verified numbers get SMS", "Upgrade the account.")
    return ok("credentials work, the account is active")
