"""Rules about a project's settings and their error texts, for the admin, the configuration file and the doctor."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_lazy as _

ALL = "all"
BOTH = ("whatsapp", "sms")
CHANNELS_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"whatsapp_or_sms": BOTH, "whatsapp_only": ("whatsapp",), "sms_only": ("sms",)}
)
# Calling codes without a country whose numbers can receive messages: satellites, ships and global networks. They cost
# many times more than mobiles, so a project has to name each.
NETWORKS = ("+870", "+878", "+881", "+882", "+883")
# The field that the rule of another field depends on.
MEASURED_BY = {
    "countries_allowed": "countries_allowed",
    "countries_pinned": "countries_allowed",
    "fallback_wait_seconds": "otp_valid_seconds",
    "resend_after_seconds": "otp_valid_seconds",
}


def login_methods_problems(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of field and problem, for values that are each valid on their own."""
    allowed, pinned = values["countries_allowed"], values["countries_pinned"]
    if not allowed:
        yield "countries_allowed", str(_("must name at least one country, or all: nobody else gets a code"))
    for name, codes in (("countries_allowed", allowed), ("countries_pinned", pinned)):
        if repeated := _repeated(codes):
            yield name, str(_("names a country twice: %(codes)s")) % {"codes": ", ".join(repeated)}
    if ALL in pinned:
        yield "countries_pinned", str(_("must name countries, all cannot be shown first"))
    elif excluded := [code for code in pinned if ALL not in allowed and code not in allowed]:
        text = str(_("must be among the countries allowed: %(codes)s"))
        yield "countries_pinned", text % {"codes": ", ".join(excluded)}
    # After the code has expired there is nothing left to send. With one channel nothing is waited for.
    waits = ["fallback_wait_seconds", "resend_after_seconds"]
    for name in waits[1:] if len(CHANNELS_OF.get(values.get("verify_phone_by", ""), BOTH)) == 1 else waits:
        if values[name] >= values["otp_valid_seconds"]:
            text = str(_("must be below the %(seconds)s seconds that a code is valid"))
            yield name, text % {"seconds": values["otp_valid_seconds"]}


def _repeated(codes: Sequence[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})


def default_is_needed() -> str:
    """Why the default project cannot be removed or lose its mark."""
    return str(
        _(
            "this is the default project, which answers on hosts that no project claims: "
            "make another one the default instead"
        )
    )


def being_deleted() -> str:
    return str(_("this project is being deleted"))


def archived_default() -> str:
    return str(_("an archived project cannot be the default one"))
