"""Settings, keys, senders and the public address, as `manage.py doctor` sees them."""

from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
from django.conf import settings
from django.core import checks
from django.utils import timezone

from authsvc import env
from authsvc.doctor import provider
from channels.base import SenderConfig
from channels.checking import Finding, check_sender, fail, ok, warn
from channels.models import SECRET_FIELDS, Sender
from channels.senders import senders
from channels.types import Channel, Provider
from otp.models import Challenge
from projects import rekeying
from projects.config import projects

_WEB_SECONDS = 5.0


def configuration() -> Iterator[Finding]:
    found = checks.run_checks(include_deployment_checks=False)
    for message in found:
        line = warn if message.level < checks.ERROR else fail
        yield line(f"{message.id}: {message.msg}", message.hint or "See .env.example.")
    if not found:
        yield ok(f"the settings of mode {settings.MODE} hold together")


def keys() -> Iterator[Finding]:
    """Every key that something in the database still needs must be configured."""
    now = timezone.now()
    needed = set(
        Challenge.objects.filter(expires_at__gt=now, verified_at=None, ended_at=None)
        .order_by("key_id")
        .values_list("key_id", flat=True)
        .distinct()
    )
    if missing := needed - set(settings.AUTHSVC_OTP_KEYS):
        yield fail(
            f"open logins need the one-time code key {', '.join(sorted(missing))}",
            "Add it to AUTHSVC_OTP_KEYS.",
        )
    secrets = list(_secrets())
    yield from secrets
    derived = [name for name in ("AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS") if not env.text(name)]
    if derived and settings.PRODUCTION:
        yield warn(
            f"{' and '.join(derived)} come from SECRET_KEY: changing that makes stored secrets unreadable",
            "Set keys of their own before you rotate SECRET_KEY: docs/operations.md.",
        )
    if not missing and not secrets:
        yield ok("all that is stored can be read")
    yield from provider.signing_keys()


def _secrets() -> Iterator[Finding]:
    """What the encryption keys do not open, and what only an older one opens."""
    old = 0
    for field in rekeying.fields():
        count = rekeying.rekey(field, only_count=True)
        old += count.old
        if count.unreadable:
            yield fail(
                f"{field.label} cannot be decrypted in {', '.join(str(key) for key in count.unreadable)}",
                "Add the key it was encrypted with to AUTHSVC_ENCRYPTION_KEYS, or type the secret anew.",
            )
    if old:
        yield warn(f"{old} secrets are encrypted with an older key", "manage.py rotate_keys")


def promised_channels() -> Iterator[Finding]:
    """Each project has a sender for every channel that it promises."""
    known, all_projects = senders.get(), projects.get().by_id.values()
    for project in all_projects:
        lacking = [name for name in project.channels if not known.for_project(project.id, Channel(name))]
        if lacking:
            yield fail(f"{project.slug} promises {' and '.join(lacking)} but has no sender", "Add a sender.")
        else:
            yield ok(f"{project.slug}: {' then '.join(project.channels)}")
    if not all_projects:
        yield fail("there is no project", "Add one in the admin, or with manage.py apply.")


def all_senders() -> Iterator[Finding]:
    """Live: asks each provider about each active sender."""
    known = senders.get().by_id.values()
    names = {row.id: str(row) for row in Sender.objects.defer(*SECRET_FIELDS).select_related("project")}
    for sender in known:
        name = names.get(sender.id, str(sender.id))
        for found in check_sender(sender, public_url=settings.AUTHSVC_PUBLIC_URL):
            yield Finding(level=found.level, text=f"{name}: {found.text}", remedy=found.remedy)
    if not known:
        yield fail("there is no active sender", "Add one in the admin, or with manage.py apply.")


def public_address() -> Iterator[Finding]:
    """Asks our own pages through the address that people and providers use."""
    address = settings.AUTHSVC_PUBLIC_URL
    if not address:
        yield warn("AUTHSVC_PUBLIC_URL is not set", "Set it: providers call it back, and this check uses it.")
        return
    if not address.startswith("https://"):
        line = fail if not settings.INSECURE_HTTP else warn
        yield line(f"{address} is not https: providers will not call it", "Put it behind TLS.")
    with httpx.Client(base_url=address, timeout=_WEB_SECONDS) as client:
        try:
            answer = client.get("/healthz")
        except httpx.HTTPError as error:
            yield fail(f"{address} does not answer: {type(error).__name__}", "Check DNS, proxy and firewall.")
            return
        if answer.status_code != 200:
            yield fail(
                f"{address}/healthz answers {answer.status_code}", "Check the proxy and ALLOWED_HOSTS."
            )
            return
        yield ok(f"{address} answers")
        for sender in senders.get().of_provider(Provider.META):
            yield from _webhook(client, sender)


def _webhook(client: httpx.Client, sender: SenderConfig) -> Iterator[Finding]:
    if not sender.verify_token or not sender.app_secrets:
        yield fail(
            "a WhatsApp sender has no verify token or app secret", "Without them no report is believed."
        )
        return
    query = {"hub.mode": "subscribe", "hub.verify_token": sender.verify_token, "hub.challenge": "doctor"}
    answer = client.get(f"/whatsapp/webhook?{urlencode(query)}")
    if answer.status_code == 200 and answer.text == "doctor":
        yield ok("/whatsapp/webhook answers Meta's verification")
    else:
        yield fail(f"/whatsapp/webhook answers {answer.status_code}", "The proxy must pass it on untouched.")
