"""The guided page of a Twilio sender. Names of pages are Twilio's own."""

from django.utils.translation import gettext_lazy as _

from channels.providers.twilio import check
from channels.setup import Setup, Step, StepName

SETUP = Setup(
    steps=(
        Step(
            name=StepName.CONNECT,
            title=_("Connect"),
            there=(
                _("console.twilio.com, Account Info: copy Account SID and Auth Token."),
                _(
                    "Phone Numbers, Buy a number with SMS; or Messaging, Services: make one with a sender pool."
                ),
                _(
                    "Messaging, Settings, Geo permissions: permit the countries that you serve, and no others."
                ),
            ),
            here=(
                _(
                    "Paste SID and token, and either the From number or the Messaging Service SID, into the sender's "
                    "form, save, then check."
                ),
            ),
            check=check.connect,
        ),
        Step(
            name=StepName.REPORTS,
            title=_("Reports"),
            there=(_("Nothing: each message names the address for its reports."),),
            here=(_("This is green once a report arrived that the auth token signed: send a test code."),),
            check=check.reports,
        ),
        Step(
            name=StepName.TRY,
            title=_("Try"),
            there=(_("A trial account sends to verified numbers only: Phone Numbers, Verified Caller IDs."),),
            here=(_("Send a test SMS: a code that goes like one of a login."),),
        ),
    ),
)
