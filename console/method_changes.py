"""What changes for users when login methods are saved, in sentences. Two rows in, texts out."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.countries import names
from projects import routing
from projects.models import LoginMethods, VerifyPhoneBy
from projects.routing import Route
from projects.rules import ALL, CHANNELS_OF


def changes(before: LoginMethods, after: LoginMethods) -> list[str]:
    """A sentence for each change that users notice."""
    return [*_mode(before, after), *_code(before, after), *_countries(before, after), *_routes(before, after)]


# Mode and fallback ------------------------------------------------------------------------------------


def _mode(before: LoginMethods, after: LoginMethods) -> Iterator[str]:
    if before.verify_phone_by != after.verify_phone_by:
        yield {
            VerifyPhoneBy.WHATSAPP_OR_SMS: _("Users now get their code by WhatsApp, or by SMS."),
            VerifyPhoneBy.WHATSAPP_ONLY: _("Users now get their code by WhatsApp only."),
            VerifyPhoneBy.SMS_ONLY: _("Users now get their code by SMS only."),
        }[VerifyPhoneBy(after.verify_phone_by)]
    usual_before, usual_after = _usual(before), _usual(after)
    if usual_before == usual_after or len(usual_after.channels) == 1:
        return
    if usual_after.falls_back:
        text = _("An SMS now follows when WhatsApp has not delivered after %(seconds)d s.")
        yield text % {"seconds": usual_after.wait_seconds}
    elif usual_before.falls_back:
        yield _("No SMS follows by itself any more: users choose it.")


def _usual(row: LoginMethods) -> Route:
    channels = CHANNELS_OF[row.verify_phone_by]
    return Route(
        channels=channels,
        falls_back=row.fallback_enabled and len(channels) > 1,
        wait_seconds=row.fallback_wait_seconds,
    )


# Codes ------------------------------------------------------------------------------------------------


def _code(before: LoginMethods, after: LoginMethods) -> Iterator[str]:
    if before.otp_length != after.otp_length:
        yield _("New codes have %(digits)d digits.") % {"digits": after.otp_length}
    if before.otp_valid_seconds != after.otp_valid_seconds:
        yield _("Codes now live %(time)s.") % {"time": _duration(after.otp_valid_seconds)}
    if before.resend_after_seconds != after.resend_after_seconds:
        base = after.resend_after_seconds
        text = _("A code can be sent again after %(first)d s, then %(second)d, then %(third)d.")
        yield text % {"first": base, "second": base * 2, "third": base * 4}
    if before.max_attempts != after.max_attempts:
        text = ngettext(
            "A code is over after %(count)d wrong try.",
            "A code is over after %(count)d wrong tries.",
            after.max_attempts,
        )
        yield text % {"count": after.max_attempts}


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if rest:
        return _("%(count)d seconds") % {"count": seconds}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


# Countries --------------------------------------------------------------------------------------------


def _countries(before: LoginMethods, after: LoginMethods) -> Iterator[str]:
    old, new = before.countries_allowed, after.countries_allowed
    if ALL in new and ALL not in old:
        yield _("Users of all countries can log in now.")
    elif ALL in old and ALL not in new:
        yield _("Only users in %(countries)s can log in now.") % {"countries": names(new)}
    elif added := _missing(new, old):
        yield _("Users in %(countries)s can log in now.") % {"countries": names(added)}
    if ALL not in {*old, *new} and (removed := _missing(old, new)):
        yield _("Users in %(countries)s get no codes any more.") % {"countries": names(removed)}
    if before.countries_pinned != after.countries_pinned:
        yield (
            _("The login page shows %(countries)s first.") % {"countries": names(after.countries_pinned)}
            if after.countries_pinned
            else _("The login page shows all countries by name.")
        )


def _missing(codes: Sequence[str], others: Sequence[str]) -> list[str]:
    return [code for code in codes if code not in others and code != ALL]


# Routes -----------------------------------------------------------------------------------------------


def _routes(before: LoginMethods, after: LoginMethods) -> Iterator[str]:
    """One for all countries whose route is now the same; those that only follow the usual one are not named."""
    old, new = _read(before), _read(after)
    usual_before, usual_after = _usual(before), _usual(after)
    changed: dict[Route, list[str]] = {}
    for code in dict.fromkeys([*new, *old]):
        route = new.get(code, usual_after)
        if old.get(code, usual_before) != route:
            changed.setdefault(route, []).append(code)
    for route, codes in changed.items():
        yield _("Users in %(countries)s get %(route)s.") % {
            "countries": names(codes),
            "route": _spelled(route, is_usual=codes[0] not in new),
        }


def _read(row: LoginMethods) -> Mapping[str, Route]:
    return routing.read(
        row.routing,
        verify_phone_by=row.verify_phone_by,
        fallback_enabled=row.fallback_enabled,
        wait_seconds=row.fallback_wait_seconds,
        otp_valid_seconds=row.otp_valid_seconds,
    )


def _spelled(route: Route, *, is_usual: bool) -> str:
    """WhatsApp first, SMS after 12 s, through the sender india."""
    channels = [{"whatsapp": _("WhatsApp"), "sms": _("SMS")}[name] for name in route.channels]
    if len(channels) == 1:
        text = _("%(channel)s only") % {"channel": channels[0]}
    else:
        text = _("%(channel)s first") % {"channel": channels[0]}
        if route.falls_back:
            words = {"channel": channels[1], "seconds": route.wait_seconds}
            after = (
                _("%(channel)s after %(seconds)d s")
                if route.channels[0] == "whatsapp"
                else _("%(channel)s when that fails")
            )
            text = f"{text}, {after % words}"
    if route.sender:
        text = _("%(route)s, through the sender %(name)s") % {"route": text, "name": route.sender}
    return _("%(route)s, as everywhere") % {"route": text} if is_usual else text
