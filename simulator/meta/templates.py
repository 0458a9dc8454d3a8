"""Message templates of each business account: what exists, in which state, and what each says."""

import threading
from dataclasses import asdict, dataclass, replace
from itertools import count

from simulator.accounts import PAUSED_LANGUAGES, Accounts, WhatsAppAccount
from simulator.meta.template_texts import texts_in

DEFAULT_TTL_SECONDS = 600
STATUSES = (
    "APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "LIMIT_EXCEEDED", "ARCHIVED",
    "PENDING_DELETION", "DELETED",
)  # fmt: skip


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(Draft):
    """One template in one language."""

    id: str
    language: str
    status: str = "APPROVED"
    category: str = "AUTHENTICATION"
    advice: bool = True
    minutes: int | None = 10

    @property
    def button(self) -> str:
        return self.button_text or texts_in(self.language).button

    @property
    def takes_code(self) -> bool:
        return self.category == "AUTHENTICATION"

    def body(self) -> str:
        if not self.takes_code:
            return "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message."
        texts = texts_in(self.language)
        return f"{texts.body} {texts.advice}" if self.advice else texts.body

    def footer(self) -> str | None:
        if self.minutes is None or not self.takes_code:
            return None
        return texts_in(self.language).footer.format(minutes=self.minutes)

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
            "parameter_format": "POSITIONAL",
            "message_send_ttl_seconds": self.ttl_seconds,
            "id": self.id,
            "quality_score": {"score": "GREEN", "date": 1795424400},
            "rejected_reason": "NONE",
        }

    def as_body(self) -> dict[str, object]:
        """As a request to create it would say it."""
        components: list[dict[str, object]] = [{"type": "BODY", "add_security_recommendation": self.advice}]
        if self.minutes is not None:
            components.append({"type": "FOOTER", "code_expiration_minutes": self.minutes})
        components.append({"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": self.otp_type}]})
        return {
            "name": self.name,
            "category": self.category,
            "components": components,
            "message_send_ttl_seconds": self.ttl_seconds,
        }

    def _button_json(self) -> dict[str, object]:
        expiry = "" if self.minutes is None else f"&code_expiration_minutes={self.minutes}"
        url = f"https://www.whatsapp.com/otp/code/?otp_type={self.otp_type}{expiry}&code=otp"
        return {"type": "URL", "text": self.button, "url": url + "{{1}}", "example": [url + "123456"]}


class TemplateStore:
    """The templates of every business account, keyed by account, name and language."""

    def __init__(self, accounts: Accounts) -> None:
        self._lock = threading.Lock()
        self._ids = count(990088776655001)
        self._templates: dict[tuple[str, str, str], Template] = {}
        self.reset(accounts)

    def reset(self, accounts: Accounts) -> None:
        with self._lock:
            self._templates.clear()
            for account in accounts.whatsapp:
                self._seed(account)

    def add_account(self, account: WhatsAppAccount) -> None:
        with self._lock:
            self._seed(account)

    def get(self, business_account_id: str, name: str, language: str) -> Template | None:
        return self._templates.get((business_account_id, name, language))

    def all(self, business_account_id: str) -> list[Template]:
        with self._lock:
            return [template for key, template in self._templates.items() if key[0] == business_account_id]

    def save(
        self, business_account_id: str, draft: Draft, language: str, *, status: str = "APPROVED"
    ) -> Template:
        """Create the template, or overwrite it under its old id. `status`: what its review comes to at once."""
        with self._lock:
            key = (business_account_id, draft.name, language)
            known = self._templates.get(key)
            template_id = known.id if known else str(next(self._ids))
            template = Template(id=template_id, language=language, status=status, **asdict(draft))
            self._templates[key] = template
            return template

    def delete(self, business_account_id: str, name: str, template_id: str | None) -> int:
        """Delete a template in all languages, or in the one with this id. Returns how many were deleted."""
        with self._lock:
            keys = [
                key
                for key, template in self._templates.items()
                if key[:2] == (business_account_id, name) and template_id in (None, template.id)
            ]
            for key in keys:
                del self._templates[key]
            return len(keys)

    def change_status(
        self, business_account_id: str, name: str, language: str, status: str
    ) -> Template | None:
        """The template in its new state; None when there is none. DELETED takes it away."""
        with self._lock:
            key = (business_account_id, name, language)
            template = self._templates.get(key)
            if template is None:
                return None
            changed = replace(template, status=status)
            if status == "DELETED":
                del self._templates[key]
            else:
                self._templates[key] = changed
            return changed

    def _seed(self, account: WhatsAppAccount) -> None:
        statuses = dict.fromkeys(PAUSED_LANGUAGES, "PAUSED") | dict.fromkeys(account.languages, "APPROVED")
        for language, status in sorted(statuses.items(), key=lambda item: item[1]):
            template = Template(
                id=str(next(self._ids)), name=account.template, language=language, status=status
            )
            self._templates.setdefault((account.business_account_id, account.template, language), template)
        hello = Template(
            id=str(next(self._ids)), name="hello_world", language="en_US", category="UTILITY", minutes=None
        )
        self._templates.setdefault((account.business_account_id, "hello_world", "en_US"), hello)
