"""OpenID Connect clients and signing keys, as `manage.py doctor` sees them."""

from collections import Counter
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils import timezone

from channels.checking import Finding, fail, ok
from oidc import keys, policy, registration
from oidc.models import Client, SigningKey


def clients() -> Iterator[Finding]:
    """What was right when it was saved may be wrong by now: settings change, and other programs write too."""
    rows = (
        Client.objects.filter(is_active=True).select_related("project").order_by("project__slug", "client_id")
    )
    wrong = False
    for client in rows:
        for found in _client(client):
            wrong = True
            yield Finding(
                level=found.level,
                text=f"{client.project.slug}: {client.client_id}: {found.text}",
                remedy=found.remedy,
            )
    if not wrong:
        yield ok(f"{len(rows)} active, nothing wrong with their addresses")


def _client(client: Client) -> Iterator[Finding]:
    try:
        client.clean()
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            for message in messages:
                yield fail(
                    f"{name}: {message}", "Correct it under Clients, or in the file of manage.py apply."
                )
    if registration.has_use_for_secret(client) and not client.client_secret:
        yield fail("is confidential and has no secret", "Make one under Clients.")


def signing_keys() -> Iterator[Finding]:
    """How many keys are published, read without being opened."""
    try:
        keys.given_kid()
    except ImproperlyConfigured as error:
        yield fail(str(error), "Name a readable PEM file, or unset it: a key is made then.")
        return
    now = timezone.now()
    published: Counter[str] = Counter()
    for row in SigningKey.objects.with_retirement().defer("pem"):
        if row.retired_at is None or now < row.retired_at + policy.KEY_PUBLISHED_AFTER:
            published[row.algorithm] += 1
    if not published:
        yield ok("no signing key yet: the first is made when it is needed")
        return
    counts = ", ".join(f"{count} {name}" for name, count in sorted(published.items()))
    yield ok(f"signing keys published: {counts}")
