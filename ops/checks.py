"""System checks of the service as a whole, with stable ids.

Those that any process must pass have the tag `OURS`: a worker makes no others, which would import every page.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 # Django's name
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from abuse import rules
from core import outgoing
from core.fields import fernet_problem
from core.hosts import read_origin
from oidc import keys

OURS = "authsvc"


@register(OURS)
def check_keys(**_: object) -> list[CheckMessage]:
    problem = fernet_problem(settings.AUTHSVC_ENCRYPTION_KEYS)
    return [Error(f"AUTHSVC_ENCRYPTION_KEYS: {problem}", id="authsvc.E001")] if problem else []


@register(OURS)
def check_signing_key(**_: object) -> list[CheckMessage]:
    try:
        keys.configured_kid()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Unset it and a key is generated.", id="authsvc.E006")]
    return []


@register(OURS)
def check_limits(**_: object) -> list[CheckMessage]:
    try:
        rules.rules()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="authsvc.E005")]
    return []


@register(OURS)
def check_outgoing(**_: object) -> list[CheckMessage]:
    problem = outgoing.setting_problem(settings.AUTHSVC_OUTGOING_ALLOW)
    return [Error(problem, id="authsvc.E021")] if problem else []


@register(OURS)
def check_providers(**_: object) -> list[CheckMessage]:
    """In production, providers are called over https and the simulator is refused."""
    if not settings.PRODUCTION:
        return []
    messages: list[CheckMessage] = [
        Error(
            f"the base URL of {name}'s API is not an https address: codes would go to a simulator or in clear text",
            hint="Unset it, or set AUTHSVC_MODE=demo or test to use the simulator.",
            id="authsvc.E002",
        )
        for name, url in settings.PROVIDER_API_URLS.items()
        if url and urlsplit(url).scheme != "https"
    ]
    if settings.SIMULATOR_URL:
        messages.append(
            Error("SIMULATOR_URL is set: the simulator is refused in production", id="authsvc.E003")
        )
    if not settings.REDIS_URL:
        messages.append(
            Warning(
                "REDIS_URL is not set: limits and queue exist in one process only",
                hint="Set REDIS_URL to run several processes.",
                id="authsvc.W001",
            )
        )
    return messages


@register(OURS)
def check_addresses(**_: object) -> list[CheckMessage]:
    """Address settings that are valid one by one but contradict each other, or trust everyone."""
    messages: list[CheckMessage] = []
    public = read_origin(settings.AUTHSVC_PUBLIC_URL)
    if public and not validate_host(public.host.name, settings.ALLOWED_HOSTS):
        messages.append(
            Warning(
                "ALLOWED_HOSTS does not name the host of AUTHSVC_PUBLIC_URL",
                hint="Add it: providers' reports to it are refused unless a proxy gives them another host.",
                id="authsvc.W002",
            )
        )
    if settings.PRODUCTION and "*" in settings.ALLOWED_HOSTS:
        messages.append(
            Warning(
                "ALLOWED_HOSTS is *: every caller can choose the host",
                hint="Name the hosts that serve the login pages.",
                id="authsvc.W003",
            )
        )
    if any(network.prefixlen == 0 for network in settings.AUTHSVC_TRUSTED_PROXIES):
        messages.append(
            Warning(
                "AUTHSVC_TRUSTED_PROXIES trusts everyone: every caller can choose the address that limits count",
                hint="Name the networks of your own proxies.",
                id="authsvc.W004",
            )
        )
    return messages
