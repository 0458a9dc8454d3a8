"""What the buttons of a sender's set-up page do. Each gives what to tell."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from abuse.errors import RateLimited
from channels import samples, setup_checks
from channels.base import SenderConfig
from channels.diagnostics import guarded
from channels.findings import Finding, Level
from channels.models import Sender
from channels.senders import config_of
from channels.setup import Preview, Setup, StepName, Surroundings
from channels.types import Channel
from console.sender_setup import page
from console.sender_setup.tokens import readable_token
from core import http
from core.errors import DomainError
from events import sender_events
from otp import test_message
from otp.store.connections import release_connection
from projects.config import ProjectConfig
from users.phones import InvalidPhone, Phone, mask, read

_MOST_LANGUAGES = 30


@dataclass(frozen=True, kw_only=True)
class Work:
    """One press of a button."""

    row: Sender
    setup: Setup
    form: Mapping[str, str]
    languages: Sequence[str] = ()  # those that are ticked
    public_url: str = ""

    @property
    def sender(self) -> SenderConfig[Any]:
        """Raises UnreadableSecret."""
        return config_of(self.row)

    @property
    def around(self) -> Surroundings:
        return Surroundings(public_url=self.public_url, countries=page.countries(page.served(self.row)))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What to tell. `history` goes into the sender's history; `shown` is on this one answer and nowhere else."""

    text: str = ""
    level: Level = Level.OK
    history: str = ""
    challenge_id: uuid.UUID | None = None
    shown: Mapping[str, object] = field(default_factory=dict)


def _problem(text: str) -> Outcome:
    return Outcome(text=text, level=Level.FAIL)


# Checks -----------------------------------------------------------------------------------------------


def check(work: Work) -> Outcome:
    """The step that is named, or all of them. What is said of templates stops or frees languages, as in the doctor."""
    named = work.form.get("step", "")
    names = [step.name for step in work.setup.steps if step.check and named in ("", step.name)]
    if not names:
        return _problem(_("There is no such step"))
    findings = _check(work, names)
    levels = {finding.level for several in findings.values() for finding in several}
    if Level.FAIL in levels:
        return _problem(_("Checked: something has to be fixed"))
    if Level.WARN in levels:
        return Outcome(text=_("Checked: it works, and something needs a look"), level=Level.WARN)
    return Outcome(text=_("Checked: all is well"))


def _check(work: Work, names: Sequence[StepName]) -> dict[StepName, list[Finding]]:
    sender, around, begun = work.sender, work.around, timezone.now()
    release_connection()  # the provider is waited for
    findings = setup_checks.check(sender, around, names)
    seen = [finding.template for several in findings.values() for finding in several if finding.template]
    if work.row.is_active:
        sender_events.templates_checked(work.row.pk, seen, at=begun)
    return findings


# Templates --------------------------------------------------------------------------------------------


def create(work: Work) -> Outcome:
    """The ticked languages, and those that are typed."""
    languages, unknown = _languages(work)
    if work.setup.create_templates is None:
        return _problem(_("This provider has no templates"))
    if unknown or not languages:
        return _problem(
            _("The provider knows no such language: %(codes)s") % {"codes": ", ".join(unknown)}
            if unknown
            else _("Choose a language")
        )
    findings = list(guarded(work.setup.create_templates(work.sender, languages, http.shared())))
    _check(work, [StepName.TEMPLATES])
    return _outcome(findings, history=f"templates: {', '.join(languages)}")


def preview(work: Work) -> Outcome:
    """The provider's wording in the sender's languages, or in those that are chosen."""
    languages, unknown = _languages(work)
    if work.setup.preview_templates is None or unknown:
        return _problem(_("No preview in %(codes)s") % {"codes": ", ".join(unknown)})
    sender = work.sender
    chosen = languages or [code for code in sender.template_languages if code in work.setup.languages]
    previews: list[Preview] = []

    def ask() -> Any:  # noqa: ANN401 # a generator without findings
        assert work.setup.preview_templates  # noqa: S101 # seen above
        previews.extend(work.setup.preview_templates(sender, chosen[:_MOST_LANGUAGES], http.shared()))
        yield from ()

    findings = list(guarded(ask()))
    if findings or not previews:
        return _problem(
            findings[0].text if findings else _("The provider shows no preview: check the connection")
        )
    return Outcome(shown={"previews": previews})


def _languages(work: Work) -> tuple[list[str], list[str]]:
    """Those that are chosen, and those of them that the provider does not know."""
    typed = work.form.get("more_languages", "").replace(",", " ").split()
    chosen = list(dict.fromkeys([*work.languages, *typed]))[:_MOST_LANGUAGES]
    return chosen, [code[:20] for code in chosen if code not in work.setup.languages]


def _outcome(findings: Sequence[Finding], *, history: str) -> Outcome:
    failed = [finding for finding in findings if finding.level is not Level.OK]
    if failed:
        return _problem(f"{failed[0].text}. {failed[0].remedy}")
    return Outcome(text="; ".join(finding.text for finding in findings), history=history)


# Webhook ----------------------------------------------------------------------------------------------


def subscribe(work: Work) -> Outcome:
    if work.setup.subscribe is None:
        return _problem(_("This provider needs no subscription"))
    findings = list(guarded(work.setup.subscribe(work.sender, http.shared())))
    _check(work, [StepName.REPORTS])
    return _outcome(findings, history="app subscribed")


def verify_token(work: Work) -> Outcome:
    """A new one, stored encrypted and shown on this answer only. Meta asks for it again when an address is entered, so
    the one before may be forgotten."""
    name = work.setup.verify_token
    if not name:
        return _problem(_("This provider has no verify token"))
    token = readable_token()
    with transaction.atomic():
        row = Sender.objects.select_for_update().get(pk=work.row.pk)
        row.secrets = {**row.secrets, name: token}
        row.save(update_fields=["secrets", "updated_at"])
    return Outcome(history="verify token renewed", shown={"verify_token": token})


# Tries ------------------------------------------------------------------------------------------------


def hello(work: Work) -> Outcome:
    phone = _phone(work)
    if phone is None:
        return _problem(_not_a_number())
    try:
        sample = samples.send(work.sender, phone.e164, mask(phone.e164))
    except LookupError:
        return _problem(_("This provider has no sample message"))
    except samples.TooMany:
        return _problem(_("Five sample messages an hour: try again later"))
    return Outcome(text=_("Sent: see its timeline"), history=f"hello_world to {sample.phone_masked}")


def test_code(work: Work) -> Outcome:
    """Like the code of a login, by this sender's channel alone, with the limits of the number. It cannot log in."""
    phone, project = _phone(work), _project(work)
    if phone is None:
        return _problem(_not_a_number())
    if project is None:
        return _problem(
            _("No project sends by this sender: switch it on, and let login methods use its channel")
        )
    try:
        challenge_id = test_message.start(
            project=project,
            phone=phone,
            language=work.form.get("language", "en")[:20],
            origin=work.public_url,
            channel=Channel(work.row.channel),
            sender_id=work.row.pk,
        )
    except RateLimited as error:
        text = _("This number has reached its limits: try again in %(seconds)d s")
        return _problem(text % {"seconds": error.wait_seconds})
    except DomainError as error:
        return _problem(_("Not sent: %(why)s") % {"why": error.code})
    history = f"test code to {mask(phone.e164)}"
    return Outcome(text=_("On its way: see its timeline"), history=history, challenge_id=challenge_id)


def _phone(work: Work) -> Phone | None:
    try:
        return read(work.form.get("phone", "")[:40], country="")
    except InvalidPhone:
        return None


def _not_a_number() -> str:
    return _("This is no phone number: write it with + and its country code")


def _project(work: Work) -> ProjectConfig | None:
    rows, chosen = page.served(work.row), work.form.get("project", "")
    return next((project for project in rows if chosen in ("", str(project.id))), None)


ACTIONS: Mapping[str, Callable[[Work], Outcome]] = {
    "check": check,
    "create": create,
    "preview": preview,
    "subscribe": subscribe,
    "verify_token": verify_token,
    "hello": hello,
    "test_code": test_code,
}
