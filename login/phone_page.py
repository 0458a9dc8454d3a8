"""The page that takes a phone number, and its form."""

from dataclasses import dataclass, field
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, QueryDict

from channels.types import Channel
from login import sessions
from login.countries import countries_for
from login.login_cookie import LoginCookie, PendingLogin
from login.messages import errors as error_messages
from login.messages.errors import Refusal
from login.oidc.continuation import client_of_url, demands_login
from login.pages import ACCOUNT, chosen_channel, code_url, safe_next, show_filled, with_retry_after
from projects.config import ProjectConfig
from users import phones
from users.phones import Phone

_TOKEN_LIMIT = 64
_NO_REFUSAL = Refusal(status=200, text="")


@dataclass(frozen=True, kw_only=True)
class PhoneForm:
    """The fields as typed, cut to size before anything parses them. A value that is too long is refused, and shown
    again truncated."""

    phone: str = field(repr=False)
    country: str
    channel: Channel | None
    token: str
    next: str

    def parse(self) -> Phone:
        """A typed calling code overrides the chosen country. Raises InvalidPhone."""
        return phones.read(self.phone, country=self.country or None)


def read_phone_form(data: QueryDict) -> PhoneForm:
    country = _line(data.get("country"), 2).upper()
    return PhoneForm(
        phone=_typed_phone(data.get("phone") or ""),
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
        channel=chosen_channel(data),
        token=token if len(token := _line(data.get("form_token"), _TOKEN_LIMIT + 1)) <= _TOKEN_LIMIT else "",
        next=data.get("next") or "",
    )


def _typed_phone(value: str) -> str:
    """The mark makes a truncated number invalid: without its last digits it may be another person's."""
    mark = "…" if len(value) > phones.LONGEST_INPUT else ""
    return _line(value, phones.LONGEST_INPUT) + mark


def _line(value: str | None, limit: int) -> str:
    """At most `limit` printable characters: control characters never reach a parser or the database."""
    return "".join(character for character in (value or "")[:limit] if character.isprintable()).strip()


def phone_page(
    request: HttpRequest,
    project: ProjectConfig,
    cookie: LoginCookie,
    form: PhoneForm,
    *,
    changed: PendingLogin | None,
    refusal: Refusal = _NO_REFUSAL,
) -> HttpResponse:
    """`changed`: the login whose number the person is changing; another number replaces it."""
    next_url = safe_next(request, form.next)
    kept_next = form.next if next_url else ""
    accept_language = request.headers.get("Accept-Language", "")
    countries = countries_for(project, chosen=form.country, accept_language=accept_language)
    client = client_of_url(next_url, project)
    values: dict[str, str | int] = {
        "phone": form.phone,
        "form_token": form.token or cookie.form_token(),
        "changed": cookie.form_value(changed) if changed else "",
        "back": code_url(cookie.reference(changed)) if changed else "",
        "next": kept_next,
        "kept_query": f"next={quote(kept_next, safe='')}" if kept_next else "",
        "client": str(client) if client else "",
        "country_options": countries.options,
        "only_country": countries.only,
        "refusal": refusal.text,
        "wait_seconds": refusal.wait_seconds,
        "notice": "" if refusal.text else error_messages.notice(cookie.notice),
        **_signed_in_values(request, project, next_url),
    }
    fixed = {"mode": project.verify_phone_by}
    response = show_filled(request, project, "phone.html", fixed=fixed, values=values, status=refusal.status)
    return with_retry_after(response, refusal)


def _signed_in_values(request: HttpRequest, project: ProjectConfig, next_url: str) -> dict[str, str]:
    """Lets a signed-in person continue without a code, unless the application demands a login."""
    person = sessions.person_of(request, project)
    if person is None or not person.phone or demands_login(next_url):
        return {"own_number": "", "continue_url": ""}
    return {"own_number": phones.formatted(person.phone), "continue_url": next_url or ACCOUNT}
