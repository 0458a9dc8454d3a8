"""Settings, keys, senders and the public address, as `manage.py doctor` sees them."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import httpx
from django.conf import settings
from django.core import checks
from django.utils import timezone

from channels.base import SenderConfig
from channels.diagnostics import check_sender, code_life
from channels.findings import Finding, TemplateSeen, about, fail, ok, warn
from channels.models import Sender
from channels.providers import PROVIDERS
from channels.senders import senders
from channels.types import Channel
from core import env
from events import sender_events
from ops import reencrypt
from ops.doctor import oidc
from otp.models import Challenge
from projects.config import projects

_WEB_SECONDS = 5.0


def configuration() -> Iterator[Finding]:
    messages = checks.run_checks(include_deployment_checks=False)
    for message in messages:
        finding = warn if message.level < checks.ERROR else fail
        yield finding(f"{message.id}: {message.msg}", message.hint or "See .env.example.")
    if not messages:
        yield ok(f"the settings of mode {settings.MODE} are consistent")


def keys() -> Iterator[Finding]:
    """Every key that rows of the database still need must be configured."""
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
        yield ok("every stored secret can be decrypted")
    yield from oidc.signing_keys()


def _secrets() -> Iterator[Finding]:
    """Secrets that no configured key decrypts, and secrets that only an older key decrypts."""
    old = 0
    for field in reencrypt.fields():
        count = reencrypt.rekey(field, only_count=True)
        old += count.old
        if count.unreadable:
            yield fail(
                f"{field} cannot be decrypted in {', '.join(str(key) for key in count.unreadable)}",
                "Add the key it was encrypted with to AUTHSVC_ENCRYPTION_KEYS, or enter the secret again.",
            )
    if old:
        yield warn(f"{old} secrets are encrypted with an older key", "./manage.py rotate_keys")


def promised_channels() -> Iterator[Finding]:
    """Each project has a sender for every channel that it promises."""
    known, all_projects = senders.get(), projects.get().by_id.values()
    for project in all_projects:
        lacking = [name for name in project.channels if not known.for_project(project.id, Channel(name))]
        if lacking:
            yield about(
                project.slug, fail(f"promises {' and '.join(lacking)} but has no sender", "Add a sender.")
            )
        else:
            yield about(project.slug, ok(" then ".join(project.channels)))
    if not all_projects:
        yield fail("there is no project", "Add one in the admin, or with ./manage.py apply.")


def all_senders() -> Iterator[Finding]:
    """Live: asks each provider about each active sender. What it says of templates is stored (events.sender_events)."""
    known = senders.get().by_id.values()
    names = {row.id: str(row) for row in Sender.objects.defer("secrets").select_related("project")}
    for sender in known:
        name = names.get(sender.id, str(sender.id))
        begun = timezone.now()
        findings = check_sender(sender, public_url=settings.AUTHSVC_PUBLIC_URL)
        seen = [finding.template for finding in findings if finding.template]
        sender_events.templates_checked(sender.id, seen, at=begun)
        for finding in (*findings, *_code_lives(sender, seen)):
            yield about(name, finding)
    if not known:
        yield fail("there is no active sender", "Add one in the admin, or with ./manage.py apply.")


def _code_lives(sender: SenderConfig[Any], seen: Iterable[TemplateSeen]) -> Iterator[Finding]:
    """A code must live as long as the message says that carries it."""
    if not PROVIDERS[sender.provider].templates:
        return
    minutes = dict.fromkeys(sender.template_languages) | {item.language: item.minutes for item in seen}
    for project in projects.get().by_id.values():
        serving = senders.get().serving(project.id, Channel.WHATSAPP)
        if Channel.WHATSAPP in project.channels and sender.id in {item.id for item in serving}:
            yield from code_life(
                project.otp_valid_seconds,
                project=project.slug,
                template=sender.settings.template_name,
                minutes=minutes,
            )


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
        for sender in senders.get().by_id.values():
            reports = PROVIDERS[sender.provider].reports
            if reports and reports.check:
                yield from reports.check(sender, partial(_answer, client))


def _answer(client: httpx.Client, path: str) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.text
