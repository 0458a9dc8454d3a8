"""Checks of `manage.py doctor`: OpenID Connect clients and signing keys."""

from collections import Counter
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils import timezone

from channels.findings import Finding, about, fail, ok
from oidc import client_secrets, keys, policy
from oidc.models import Client, SigningKey


def clients() -> Iterator[Finding]:
    """A client that was valid when it was saved may not be now: settings change, and other programs write rows."""
    rows = (
        Client.objects.filter(is_active=True).select_related("project").order_by("project__slug", "client_id")
    )
    is_valid = True
    for client in rows:
        for finding in _client(client):
            is_valid = False
            yield about(f"{client.project.slug}/{client.client_id}", finding)
    if is_valid:
        yield ok(f"{len(rows)} active, all valid")


def _client(client: Client) -> Iterator[Finding]:
    try:
        client.clean()
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            for message in messages:
                yield fail(
                    f"{name}: {message}", "Correct it under Clients, or in the file of ./manage.py apply."
                )
    if client_secrets.uses_secret(client) and not client.client_secret:
        yield fail("is confidential and has no secret", "Create one under Clients.")


def signing_keys() -> Iterator[Finding]:
    """How many keys are published. Private keys are not decrypted for this."""
    try:
        keys.configured_kid()
    except ImproperlyConfigured as error:
        yield fail(str(error), "Name a readable PEM file, or unset it: a key is then generated.")
        return
    now = timezone.now()
    published: Counter[str] = Counter()
    for row in SigningKey.objects.with_retirement().defer("pem"):
        if row.retired_at is None or now < row.retired_at + policy.KEY_PUBLISHED_AFTER:
            published[row.algorithm] += 1
    if not published:
        yield ok("no signing key yet: the first is generated when it is needed")
        return
    counts = ", ".join(f"{count} {name}" for name, count in sorted(published.items()))
    yield ok(f"signing keys published: {counts}")
