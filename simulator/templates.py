"""Message templates of each business account: what exists, in which state, and what it says."""

import re
import threading
from dataclasses import dataclass, field
from itertools import count

from simulator.accounts import PAUSED_LANGUAGES, Accounts, WhatsAppAccount
from simulator.errors import GraphError, invalid_parameter, missing_parameter
from simulator.texts import LANGUAGES, wording

DEFAULT_TTL_SECONDS = 600
_NAME = re.compile(r"[a-z0-9_]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language."""

    id: str
    name: str
    language: str
    status: str = "APPROVED"
    category: str = "AUTHENTICATION"
    advice: bool = True
    minutes: int | None = 10
    button_text: str | None = None
    otp_type: str = "COPY_CODE"
    ttl_seconds: int = DEFAULT_TTL_SECONDS

    @property
    def button(self) -> str:
        return self.button_text or wording(self.language).button

    @property
    def takes_code(self) -> bool:
        return self.category == "AUTHENTICATION"

    def body(self) -> str:
        if not self.takes_code:
            return "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message."
        words = wording(self.language)
        return f"{words.body} {words.advice}" if self.advice else words.body

    def footer(self) -> str | None:
        if self.minutes is None or not self.takes_code:
            return None
        return wording(self.language).footer.format(minutes=self.minutes)

    def text(self, code: str) -> str:
        """What the handset shows."""
        return "\n".join(part for part in (self.body().replace("{{1}}", code), self.footer()) if part)

    def as_json(self) -> dict[str, object]:
        """As it reads back: the one-time-code button has become a URL button."""
        components: list[dict[str, object]] = [{"type": "BODY", "text": self.body()}]
        if self.takes_code:
            components[0]["add_security_recommendation"] = self.advice
            components[0]["example"] = {"body_text": [["123456"]]}
        if self.minutes is not None and self.takes_code:
            components.append(
                {"type": "FOOTER", "text": self.footer(), "code_expiration_minutes": self.minutes}
            )
        if self.takes_code:
            components.append({"type": "BUTTONS", "buttons": [self._button_json()]})
        return {
            "name": self.name,
            "components": components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "message_send_ttl_seconds": self.ttl_seconds,
            "id": self.id,
            "quality_score": {"score": "GREEN", "date": 1795424400},
            "rejected_reason": "NONE",
        }

    def _button_json(self) -> dict[str, object]:
        expiry = "" if self.minutes is None else f"&code_expiration_minutes={self.minutes}"
        url = f"https://www.whatsapp.com/otp/code/?otp_type={self.otp_type}{expiry}&code=otp"
        return {"type": "URL", "text": self.button, "url": url + "{{1}}", "example": [url + "123456"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A checked request for a template, before it has an id and a language."""

    name: str
    category: str
    advice: bool = False
    minutes: int | None = None
    button_text: str | None = None
    otp_type: str = "COPY_CODE"
    ttl_seconds: int = DEFAULT_TTL_SECONDS


@dataclass(slots=True)
class TemplateStore:
    """The templates of every business account, keyed by account, name and language."""

    accounts: Accounts
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ids: "count[int]" = field(default_factory=lambda: count(990088776655001))
    _templates: dict[tuple[str, str, str], Template] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset(self.accounts)

    def reset(self, accounts: Accounts) -> None:
        with self._lock:
            self._templates.clear()
            for account in accounts.whatsapp:
                self._seed(account)

    def add_account(self, account: WhatsAppAccount) -> None:
        with self._lock:
            self._seed(account)

    def find(self, business_account_id: str, name: str, language: str) -> Template | None:
        return self._templates.get((business_account_id, name, language))

    def all(self, business_account_id: str) -> list[Template]:
        with self._lock:
            return [template for key, template in self._templates.items() if key[0] == business_account_id]

    def save(self, business_account_id: str, draft: Draft, language: str) -> Template:
        """Create the template, or overwrite it under its old id."""
        with self._lock:
            key = (business_account_id, draft.name, language)
            known = self._templates.get(key)
            template = Template(
                id=known.id if known else str(next(self._ids)),
                name=draft.name,
                language=language,
                category=draft.category,
                advice=draft.advice,
                minutes=draft.minutes,
                button_text=draft.button_text,
                otp_type=draft.otp_type,
                ttl_seconds=draft.ttl_seconds,
            )
            self._templates[key] = template
            return template

    def _seed(self, account: WhatsAppAccount) -> None:
        wanted = [(account.template, language, "APPROVED") for language in account.languages]
        wanted += [(account.template, language, "PAUSED") for language in PAUSED_LANGUAGES]
        for name, language, status in wanted:
            key = (account.business_account_id, name, language)
            template = Template(id=str(next(self._ids)), name=name, language=language, status=status)
            self._templates.setdefault(key, template)
        hello = Template(
            id=str(next(self._ids)), name="hello_world", language="en_US", category="UTILITY", minutes=None
        )
        self._templates.setdefault((account.business_account_id, "hello_world", "en_US"), hello)


def read_draft(body: dict[str, object], *, button_texts: bool) -> Draft:
    """Check a template as Meta does. Raises GraphError 100 with the part that is wrong."""
    for required in ("name", "category", "components"):
        if not body.get(required):
            raise missing_parameter(required)
    name, components = body["name"], body["components"]
    category = str(body["category"]).upper()
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid_parameter("name: lower-case letters, digits and _ only")
    if category != "AUTHENTICATION":
        raise invalid_parameter("category: this account creates AUTHENTICATION templates only")
    if not isinstance(components, list) or not all(isinstance(item, dict) for item in components):
        raise invalid_parameter("components: must be a list of objects")
    parts = {str(item.get("type", "")).upper(): item for item in components}
    if set(parts) - {"BODY", "FOOTER", "BUTTONS"} or not {"BODY", "BUTTONS"} <= set(parts):
        raise invalid_parameter("components: BODY and BUTTONS are required, FOOTER is optional")
    if "text" in parts["BODY"]:
        raise invalid_parameter("components: the text of an authentication template is preset")
    otp_type, button_text = _read_button(parts["BUTTONS"], button_texts=button_texts)
    return Draft(
        name=name,
        category=category,
        advice=parts["BODY"].get("add_security_recommendation") is True,
        minutes=_read_minutes(parts.get("FOOTER")),
        button_text=button_text,
        otp_type=otp_type,
        ttl_seconds=_read_ttl(body.get("message_send_ttl_seconds", DEFAULT_TTL_SECONDS)),
    )


def check_language(language: object) -> str:
    if not isinstance(language, str) or language not in LANGUAGES:
        raise invalid_parameter("language: not a supported language code")
    return language


def already_exists() -> GraphError:
    return GraphError(
        status=400,
        code=100,
        subcode=2388024,
        message="(#100) Invalid parameter",
        details="There is already content in this language",
    )


def _read_button(component: dict[str, object], *, button_texts: bool) -> tuple[str, str | None]:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or len(buttons) != 1 or not isinstance(buttons[0], dict):
        raise invalid_parameter("buttons: exactly one button is required")
    button = buttons[0]
    otp_type, text = str(button.get("otp_type", "")).upper(), button.get("text")
    if str(button.get("type", "")).upper() != "OTP" or otp_type not in ("COPY_CODE", "ONE_TAP", "ZERO_TAP"):
        raise invalid_parameter("buttons: type must be OTP and otp_type COPY_CODE, ONE_TAP or ZERO_TAP")
    if otp_type != "COPY_CODE" and not button.get("supported_apps"):
        raise invalid_parameter("buttons: supported_apps is required for ONE_TAP and ZERO_TAP")
    if otp_type == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        raise invalid_parameter("buttons: zero_tap_terms_accepted must be true")
    if text is not None and not button_texts:
        raise invalid_parameter("buttons: text is not supported when templates are made in bulk")
    if text is not None and (not isinstance(text, str) or not 0 < len(text) <= 25):
        raise invalid_parameter("buttons: text must have 1 to 25 characters")
    return otp_type, text


def _read_minutes(footer: dict[str, object] | None) -> int | None:
    minutes = None if footer is None else footer.get("code_expiration_minutes")
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 90:
        raise invalid_parameter("code_expiration_minutes: must be from 1 to 90")
    return minutes


def _read_ttl(value: object) -> int:
    if value == -1:
        return 30 * 24 * 3600
    if isinstance(value, bool) or not isinstance(value, int) or not 30 <= value <= 900:
        raise invalid_parameter("message_send_ttl_seconds: must be from 30 to 900")
    return value
