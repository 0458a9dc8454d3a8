"""SMS by Twilio's Messages API. Reports are read in `webhooks.twilio`."""

from django.utils.translation import gettext_lazy as _

from channels.provider import Prices, Provider, Reports
from channels.providers.twilio import check, prices
from channels.providers.twilio.backend import TwilioBackend
from channels.providers.twilio.settings import API, CALLBACK_PATH, TwilioSettings
from channels.providers.twilio.setup import SETUP
from channels.types import Channel

TWILIO = Provider(
    name="twilio",
    label=_("Twilio"),
    channels=frozenset({Channel.SMS}),
    settings=TwilioSettings,
    backend=TwilioBackend,
    check=check.check,
    setup=SETUP,
    api=API,
    prices=Prices(account=prices.account, read=prices.read),
    reports=Reports(
        path=CALLBACK_PATH,
        missing=(
            _("The provider's reports do not arrive"),
            _("See that AUTHSVC_PUBLIC_URL can be reached from outside."),
        ),
        refused=(
            _("The provider's reports arrive, but carry a signature that this auth token does not match"),
            _(
                "Store the account's primary auth token, and see that AUTHSVC_PUBLIC_URL is the address that is "
                "called from outside."
            ),
        ),
    ),
    words_by_code={
        "20003": (
            _("The account SID or the auth token is wrong"),
            _("Store the current auth token of the account."),
        )
    },
)
