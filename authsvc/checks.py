"""System checks of the service as a whole, with stable ids."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 # Django's name
from django.core.exceptions import ImproperlyConfigured

from oidc import keys
from otp import limits
from projects.secrets import fernet_problem


@register
def check_keys(**_: object) -> list[CheckMessage]:
    problem = fernet_problem(settings.AUTHSVC_ENCRYPTION_KEYS)
    return [Error(f"AUTHSVC_ENCRYPTION_KEYS: {problem}", id="authsvc.E001")] if problem else []


@register
def check_signing_key(**_: object) -> list[CheckMessage]:
    try:
        keys.given_kid()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Unset it and a key is made.", id="authsvc.E006")]
    return []


@register
def check_limits(**_: object) -> list[CheckMessage]:
    try:
        limits.rules()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="authsvc.E005")]
    return []


@register
def check_providers(**_: object) -> list[CheckMessage]:
    """In production providers are reached over https, and the simulator is not among them."""
    if not settings.PRODUCTION:
        return []
    messages: list[CheckMessage] = []
    for name in ("WHATSAPP_API_URL", "TWILIO_API_URL"):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme != "https":
            messages.append(
                Error(
                    f"{name} is not an https address: codes would go to a simulator or in clear",
                    hint="Unset it, or set AUTHSVC_MODE=demo or test to use the simulator.",
                    id="authsvc.E002",
                )
            )
    if settings.SIMULATOR_URL:
        messages.append(
            Error("SIMULATOR_URL is set: the simulator is refused in production", id="authsvc.E003")
        )
    if settings.AUTHSVC_PUBLIC_URL.startswith("http://") and not settings.INSECURE_HTTP:
        messages.append(Error("AUTHSVC_PUBLIC_URL must be https in production", id="authsvc.E004"))
    if not settings.REDIS_URL:
        messages.append(
            Warning(
                "REDIS_URL is not set: limits and queue live in one process",
                hint="Set REDIS_URL to run several processes.",
                id="authsvc.W001",
            )
        )
    return messages
