"""Accounts from the environment."""

from simulator.accounts import Accounts, TwilioAccount, WhatsAppAccount

# Accounts


def test_defaults_are_those_of_the_demo() -> None:
    accounts = Accounts.from_env({})

    assert accounts == Accounts()
    assert accounts.whatsapp[0].phone_number_id == "100200300400500"
    assert accounts.twilio[0].from_number == "+15005550006"


def test_the_environment_names_accounts() -> None:
    accounts = Accounts.from_env(
        {
            "SIMULATOR_WHATSAPP_PHONE_NUMBER_ID": "1",
            "SIMULATOR_WHATSAPP_APP_SECRET": "",
            "SIMULATOR_TWILIO_ACCOUNT_SID": "AC2",
            "SIMULATOR_TWILIO_FROM": "+15550100777",
            "SIMULATOR_GATEWAY_SECRET": "three",
            "SIMULATOR_GATEWAY_REPORTS_URL": "http://localhost:8000/sms/http/status",
        }
    )

    assert accounts.whatsapp[0] == WhatsAppAccount(phone_number_id="1")
    assert accounts.twilio[0] == TwilioAccount(account_sid="AC2", from_number="+15550100777")
    assert accounts.gateway_secret == "three"
    assert accounts.gateway_reports_url == "http://localhost:8000/sms/http/status"


def test_secrets_are_not_in_the_representation() -> None:
    text = repr(Accounts())

    for secret in (
        "sim-access-token",
        "sim-app-secret",
        "sim-verify-token",
        "sim-auth-token",
        "sim-gateway-secret",
    ):
        assert secret not in text
