"""WhatsApp by Meta's Cloud API. Reports are read in `webhooks.meta`."""

from django.utils.translation import gettext_lazy as _

from channels.provider import Provider, Reports, Templates
from channels.providers.meta import check, reports, texts
from channels.providers.meta.backend import WhatsAppBackend
from channels.providers.meta.settings import API, CALLBACK_PATH, MetaSettings
from channels.providers.meta.setup import SETUP
from channels.types import Channel

_TOKEN = (_("The access token is expired or not valid"), _("Store a new token that does not expire."))

META = Provider(
    name="meta",
    label=_("WhatsApp Business account (Meta)"),
    channels=frozenset({Channel.WHATSAPP}),
    settings=MetaSettings,
    backend=WhatsAppBackend,
    check=check.check,
    api=API,
    templates=Templates(words=texts.words),
    setup=SETUP,
    reports=Reports(
        path=CALLBACK_PATH,
        missing=(
            _("Meta's reports do not arrive, so a silent message sends no SMS by itself"),
            _(
                "Subscribe the app to this WhatsApp Business account and to the field messages, and see that Meta "
                "reaches the callback URL."
            ),
        ),
        refused=(
            _(
                "Meta's reports arrive, but carry a signature that this app secret does not match, so a silent "
                "message sends no SMS by itself"
            ),
            _("Store the app secret of the app that the webhook belongs to (App settings, Basic)."),
        ),
        callback_label=_("Callback URL for Meta"),
        check=reports.callback,
    ),
    words_by_code={
        "190": _TOKEN,
        "104": _TOKEN,
        "133010": (
            _("The phone number is not registered with the Cloud API"),
            _("Register the number, then check its ID here."),
        ),
    },
)
