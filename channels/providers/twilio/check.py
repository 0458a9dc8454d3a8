"""What Twilio says of an account, its number or service, and where it may send. https://www.twilio.com/docs/iam/api"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from channels import calls, own_address
from channels.base import SenderConfig
from channels.findings import Finding, clock, fail, ok, warn
from channels.providers.twilio.settings import API, CALLBACK_PATH, TwilioSettings, basic_auth, product_url
from channels.setup import Surroundings
from core.http import Answer, HttpClient

_REMEDY = "Store the account SID with its current auth token."


@dataclass(frozen=True, kw_only=True)
class _Reply:
    answer: Answer
    body: Mapping[str, Any]

    @property
    def problem(self) -> str:
        """What Twilio has against the question, "" when it answered it."""
        if self.answer.is_taken and self.body:
            return ""
        code, text = self.body.get("code"), self.body.get("message")
        if not isinstance(code, int):
            return f"HTTP {self.answer.status}"
        return f"error {code} ({text[:200]})" if isinstance(text, str) and text else f"error {code}"


def check(sender: SenderConfig[TwilioSettings], public_url: str, client: HttpClient) -> Iterator[Finding]:
    """For the doctor: all that Twilio can tell, and nothing that asks our own address."""
    around = Surroundings(public_url=public_url)
    works = yield from _connect(sender, around, client)
    if works and not public_url:
        yield warn("AUTHSVC_PUBLIC_URL is not set: reports come to the address people use", "Set it.")


def connect(
    sender: SenderConfig[TwilioSettings], around: Surroundings, client: HttpClient
) -> Iterator[Finding]:
    yield from _connect(sender, around, client)


def _connect(
    sender: SenderConfig[TwilioSettings], around: Surroundings, client: HttpClient
) -> Generator[Finding, None, bool]:
    """Gives whether the credentials work."""
    account = sender.settings
    if not account.account_sid or not account.auth_tokens:
        yield fail("Twilio refuses it: account SID or auth token is empty", _REMEDY)
        return False
    path = f"{API}/2010-04-01/Accounts/{quote(account.account_sid, safe='')}"
    reply = _get(client, account, f"{path}.json")
    yield from clock(reply.answer.date)
    if reply.problem:
        yield fail(f"Twilio refuses it: {reply.problem}", _REMEDY)
        return False
    yield _state(status=str(reply.body.get("status", "")), kind=str(reply.body.get("type", "")))
    if account.from_number.startswith("+"):
        yield _owned(
            _get(client, account, _with(f"{path}/IncomingPhoneNumbers.json", account.from_number)), account
        )
    if account.messaging_service_sid:
        yield from _service(client, account)
    yield from _geo_permissions(client, account, around)
    return True


def _with(url: str, number: str) -> str:
    return f"{url}?{urlencode({'PhoneNumber': number, 'PageSize': 20})}"


def _get(client: HttpClient, account: TwilioSettings, url: str) -> _Reply:
    answer = calls.get(client, url, headers={"Authorization": basic_auth(account)})
    return _Reply(answer=answer, body=answer.json_object() or {})


def _state(*, status: str, kind: str) -> Finding:
    if status != "active":
        return fail(f"the account is {status}", "Twilio's console says why.")
    if kind == "Trial":
        return warn("a trial account: only verified numbers get SMS", "Upgrade the account.")
    return ok("credentials work, the account is active")


def _owned(reply: _Reply, account: TwilioSettings) -> Finding:
    """Twilio, "IncomingPhoneNumber resource": the numbers that the account owns."""
    number = account.from_number
    listed = reply.body.get("incoming_phone_numbers")
    if reply.problem or not isinstance(listed, list):
        why = reply.problem or "Twilio lists none"
        return warn(f"the number {number} may be the account's or not: {why}", "Check again in a minute.")
    owned = [item for item in listed if isinstance(item, dict)]
    own = next((item for item in owned if item.get("phone_number") == number), None)
    if own is None:
        return fail(
            f"the number {number} does not belong to this account",
            "Store a From number that Twilio's console lists under Phone Numbers, Active numbers.",
        )
    capabilities = own.get("capabilities")
    if isinstance(capabilities, dict) and capabilities.get("sms") is False:
        return fail(f"the number {number} cannot send SMS", "Choose a number with the capability SMS.")
    return ok(f"the number {number} belongs to the account")


def _service(client: HttpClient, account: TwilioSettings) -> Iterator[Finding]:
    """Twilio, "Service resource" of Messaging, and its pool of senders."""
    sid = account.messaging_service_sid
    url = f"{product_url('messaging')}/v1/Services/{quote(sid, safe='')}"
    service = _get(client, account, url)
    if service.problem:
        line = fail if service.answer.status == 404 else warn
        yield line(
            f"the messaging service {sid} cannot be read: {service.problem}",
            "Store the SID of a service of this account: Messaging, Services.",
        )
        return
    pool = _get(client, account, f"{url}/PhoneNumbers?PageSize=1")
    if not pool.problem and pool.body.get("phone_numbers") == []:
        yield warn(
            f"the messaging service {sid} has no number in its sender pool",
            "Add one, unless it sends by a short code or a name: Messaging, Services, Sender Pool.",
        )
    else:
        yield ok(f"the messaging service {sid} belongs to the account")


def _geo_permissions(client: HttpClient, account: TwilioSettings, around: Surroundings) -> Iterator[Finding]:
    """Twilio, "SMS geographic permissions". Nothing is said where the account does not tell."""
    reply = _get(client, account, f"{product_url('accounts')}/v1/Messaging/GeoPermissions")
    listed = reply.body.get("permissions")
    if reply.problem or not isinstance(listed, list):
        yield warn(
            f"geo permissions are not known: {reply.problem or 'Twilio lists none'}",
            "Look at them in the console: Messaging, Settings, Geo permissions.",
        )
        return
    enabled = {
        str(item.get("country_code"))
        for item in listed
        if isinstance(item, dict) and item.get("enabled") is True
    }
    known = {str(item.get("country_code")) for item in listed if isinstance(item, dict)}
    closed = sorted(country for country in around.countries if country in known - enabled)
    if closed:
        yield fail(
            f"SMS is not permitted to {', '.join(closed[:20])}, which the login methods promise",
            "Permit them in the console (Messaging, Settings, Geo permissions), or remove the countries.",
        )
    else:
        yield ok(f"geo permissions allow SMS to {len(enabled)} countries")


def reports(
    _sender: SenderConfig[TwilioSettings], around: Surroundings, client: HttpClient
) -> Iterator[Finding]:
    """Each message names our address, so nothing is entered at Twilio; it only has to answer."""
    lines = list(own_address.findings(around.public_url, client))
    yield from lines
    if not lines:
        yield ok(f"our address answers; each message names {around.public_url}{CALLBACK_PATH}")
