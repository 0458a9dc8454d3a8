"""The ids that WhatsApp gives: of a person, of a message, of a person as one business sees them."""

import base64
import hashlib
import secrets

_COUNTRIES = {
    "1": "US", "7": "RU", "33": "FR", "34": "ES", "39": "IT", "44": "GB", "49": "DE", "52": "MX", "54": "AR",
    "55": "BR", "57": "CO", "62": "ID", "86": "CN", "90": "TR", "91": "IN", "852": "HK", "971": "AE",
}  # fmt: skip


def whatsapp_id(phone: str) -> str:
    """The `wa_id` of a number: Mexico's old "1" and Brazil's "9" come and go, so it may differ from the number."""
    digits = phone.removeprefix("+")
    if digits.startswith("521") and len(digits) == 13:
        return "52" + digits[3:]
    if digits.startswith("52") and len(digits) == 12:
        return "521" + digits[2:]
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9":
        return digits[:4] + digits[5:]
    if digits.startswith("55") and len(digits) == 12:
        return digits[:4] + "9" + digits[4:]
    return digits


def new_wamid(wa_id: str) -> str:
    """A message id built like Meta's: base64 whose bytes hold the number in clear and a random part."""
    number = wa_id.encode()
    unique = secrets.token_hex(9).upper().encode()
    raw = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00\x11\x18\x12" + unique + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()


def business_scoped_user_id(*, business_account_id: str, wa_id: str) -> str:
    """Country, dot, digits: the same for the same business and person, as Meta's are."""
    digest = hashlib.sha256(f"{business_account_id}:{wa_id}".encode()).digest()
    return f"{_country(wa_id)}.{int.from_bytes(digest[:8]):020d}"


def _country(digits: str) -> str:
    for length in (3, 2, 1):
        if digits[:length] in _COUNTRIES:
            return _COUNTRIES[digits[:length]]
    return "ZZ"
