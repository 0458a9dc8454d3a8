"""The guided page of a WhatsApp sender: what to click at Meta, what to do here. Names of pages are Meta's own."""

from django.utils.translation import gettext_lazy as _

from channels.providers.meta import connect, greeting, reports, templates
from channels.setup import Setup, Step, StepName

SETUP = Setup(
    steps=(
        Step(
            name=StepName.CONNECT,
            title=_("Connect"),
            there=(
                _("business.facebook.com: create a business portfolio, unless you have one."),
                _(
                    "Settings, Accounts, WhatsApp accounts: create an account with a display name, verify a number "
                    "that is on no WhatsApp yet, and link a payment method."
                ),
                _(
                    "developers.facebook.com/apps: create an app (use case Other, type Business, your portfolio), add "
                    "WhatsApp. API Setup shows the Phone number ID and the WhatsApp Business Account ID."
                ),
                _(
                    "App settings, Basic: copy the App secret, give a privacy policy URL, then switch the app to Live. "
                    "Meta tells no program whether an app is live: look at the switch at the top of its page."
                ),
                _(
                    "Settings, Users, System users: add one, assign the app (Develop app) and the WhatsApp account "
                    "(Message templates, Phone numbers), and generate a token that never expires with "
                    "whatsapp_business_management and whatsapp_business_messaging."
                ),
            ),
            here=(
                _("Paste both IDs, the token and the app secret into the sender's form, save, then check."),
            ),
            check=connect.check,
        ),
        Step(
            name=StepName.TEMPLATES,
            title=_("Templates"),
            there=(
                _(
                    "Nothing, if the token may manage templates. Otherwise WhatsApp Manager, Manage templates, Create: "
                    "Authentication, one for each language, Copy code, security recommendation, 10 minutes."
                ),
            ),
            here=(
                _(
                    "Choose languages and create what is missing: Meta words and reviews it, mostly within a minute."
                ),
                _("The languages that the sender uses are those in its form."),
            ),
            check=templates.check,
        ),
        Step(
            name=StepName.REPORTS,
            title=_("Webhook"),
            there=(
                _(
                    "The app, WhatsApp, Configuration: paste callback URL and verify token, press Verify and save."
                ),
                _(
                    "There under Webhook fields: subscribe to messages, and to message_template_status_update."
                ),
            ),
            here=(
                _("Make a verify token: it is shown once, to be copied. Then press Subscribe."),
                _("This is green once an event arrived that the app secret signed: send a test code."),
            ),
            check=reports.check,
        ),
        Step(
            name=StepName.TRY,
            title=_("Try"),
            there=(
                _("Nothing. While the app has a test number only, add your own number as a recipient there."),
            ),
            here=(
                _(
                    "Send hello_world, which needs no template of yours, then a code that goes like one of a login."
                ),
            ),
        ),
    ),
    create_templates=templates.create,
    preview_templates=templates.previews,
    languages=templates.LANGUAGES,
    subscribe=reports.subscribe,
    greet=greeting.greet,
    verify_token="verify_token",  # noqa: S106 # the name of a field
)
