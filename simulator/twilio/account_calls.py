"""Twilio's calls about an account: itself, its numbers, its messaging services, where SMS is allowed.

At Twilio each product has a host of its own (api, messaging, accounts); here all of them are this one.
"""

from simulator.accounts import TwilioAccount
from simulator.server.routing import Response, Route, json_response
from simulator.server.simulator import Simulator
from simulator.twilio.calls import TwilioCall, with_checks
from simulator.twilio.errors import TwilioError, response_headers

# Countries of the geo permissions, of which a few are enough here.
COUNTRIES = ("AE", "BR", "DE", "ES", "FR", "GB", "HK", "IN", "MX", "SG", "US")


def routes(simulator: Simulator) -> list[Route]:
    account = r"/2010-04-01/Accounts/{sid:[^/.]+}"
    calls = [
        (f"{account}.json", fetch_account),
        (f"{account}/IncomingPhoneNumbers.json", list_numbers),
        ("/v1/Services/{service}", fetch_service),
        ("/v1/Services/{service}/PhoneNumbers", list_service_numbers),
        ("/v1/Messaging/GeoPermissions", geo_permissions),
    ]
    return [Route("GET", path, with_checks(simulator, handler)) for path, handler in calls]


def fetch_account(_simulator: Simulator, _call: TwilioCall, account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/iam/api/account, the part that says whether it may send."""
    return _answer(
        {"sid": account.account_sid, "friendly_name": "Simulated", "status": "active", "type": "Full"}
    )


def list_numbers(_simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource, filtered by `PhoneNumber`."""
    asked = call.request.query.get("PhoneNumber", account.from_number)
    owned = [_number(account)] if asked == account.from_number else []
    uri = f"/2010-04-01/Accounts/{account.account_sid}/IncomingPhoneNumbers.json"
    page = {"page": 0, "page_size": 50, "start": 0, "end": 0, "next_page_uri": None, "uri": uri}
    return _answer({"incoming_phone_numbers": owned, **page})


def fetch_service(_simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/messaging/api/service-resource"""
    _check_service(call, account)
    return _answer(
        {
            "sid": account.messaging_service_sid,
            "account_sid": account.account_sid,
            "friendly_name": "Codes",
            "usecase": "verification",
            "status_callback": None,
        }
    )


def list_service_numbers(_simulator: Simulator, call: TwilioCall, account: TwilioAccount) -> Response:
    _check_service(call, account)
    meta = {"page": 0, "page_size": 50, "key": "phone_numbers", "next_page_url": None}
    return _answer({"phone_numbers": [_number(account)], "meta": meta})


def geo_permissions(simulator: Simulator, call: TwilioCall, _account: TwilioAccount) -> Response:
    """https://www.twilio.com/docs/messaging/guides/sms-geo-permissions; `CountryCode` names one country."""
    asked = call.request.query.get("CountryCode")
    closed = simulator.state.facts.closed_countries
    permissions = [
        {
            "country_code": code,
            "type": "country",
            "enabled": code not in closed,
            "error_code": 0,
            "error_messages": [],
        }
        for code in COUNTRIES
        if asked in (None, code)
    ]
    return _answer({"permissions": permissions})


def _check_service(call: TwilioCall, account: TwilioAccount) -> None:
    if call.request.params["service"] != account.messaging_service_sid:
        raise TwilioError(20404)


def _number(account: TwilioAccount) -> dict[str, object]:
    return {
        "sid": "PN00000000000000000000000000000007",
        "account_sid": account.account_sid,
        "phone_number": account.from_number,
        "friendly_name": account.from_number,
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
    }


def _answer(resource: dict[str, object]) -> Response:
    return json_response(resource, headers=response_headers())
