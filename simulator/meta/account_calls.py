"""Meta's calls about accounts: the business account and its phone numbers."""

from simulator.accounts import WhatsAppAccount
from simulator.meta import errors
from simulator.meta.graph import GraphCall
from simulator.meta.subscriptions import subscribed_apps, webhook_configuration
from simulator.server.routing import Response
from simulator.server.simulator import Simulator

_ACCOUNT_FIELDS = ("name", "timezone_id", "message_template_namespace")
_NUMBER_FIELDS = ("display_phone_number", "verified_name", "quality_rating", "code_verification_status")


def read_account(simulator: Simulator, call: GraphCall) -> Response:
    """`GET /{business account}` or `GET /{phone number}`."""
    if call.object_id == call.account.business_account_id:
        return call.answer_fields(_business_account(simulator, call.account), _ACCOUNT_FIELDS)
    if call.object_id != call.account.phone_number_id:
        raise errors.unknown_object(call.object_id)
    return call.answer_fields(_phone_number(simulator, call.account), _NUMBER_FIELDS)


def phone_numbers(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id = call.business_account_id()
    numbers = [
        _phone_number(simulator, account)
        for account in simulator.state.accounts.whatsapp
        if account.business_account_id == business_account_id
    ]
    return call.answer({"data": numbers, "paging": {"cursors": {}}})


def _business_account(simulator: Simulator, account: WhatsAppAccount) -> dict[str, object]:
    return {
        "id": account.business_account_id,
        "name": account.verified_name,
        "timezone_id": "1",
        "message_template_namespace": "aa11bb22_cc33_dd44_ee55_ff6677889900",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "currency": "USD",
        "country": "US",
        "ownership_type": "SELF",
        "status": "ACTIVE",
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        "subscribed_apps": subscribed_apps(simulator, account.business_account_id),
    }


def _phone_number(simulator: Simulator, account: WhatsAppAccount) -> dict[str, object]:
    return {
        "display_phone_number": account.display_phone_number,
        "verified_name": account.verified_name,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "status": "CONNECTED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": webhook_configuration(simulator, account),
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "id": account.phone_number_id,
        **simulator.state.facts.number,
    }
