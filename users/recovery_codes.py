"""Recovery codes of staff: ten of eighty bits, shown once, stored as hashes, each good for one sign-in."""

import base64
import hashlib
import secrets
import uuid

from django.db import transaction

from users.factor_models import RecoveryCode
from users.models import User

COUNT = 10
_BYTES = 10
LENGTH = 16  # of the ten bytes in base32


@transaction.atomic
def renew(user_id: uuid.UUID) -> list[str]:
    """Ten new codes (`abcd-efgh-ijkl-mnop`) to be shown once. All earlier ones end."""
    User.objects.select_for_update().get(pk=user_id)  # of two at once, the codes of the first end as well
    plain = [base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower() for _ in range(COUNT)]
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user_id=user_id, code_hash=_hash(code)) for code in plain)
    return ["-".join(code[at : at + 4] for at in range(0, LENGTH, 4)) for code in plain]


def use(user_id: uuid.UUID, typed: str) -> bool:
    """Whether it is one of the user's codes, which is then used up. Of several posts of one code, one is right."""
    code = "".join(typed.lower().replace("-", "").split())
    if len(code) != LENGTH:
        return False
    return bool(RecoveryCode.objects.filter(user_id=user_id, code_hash=_hash(code)).delete()[0])


def left(user_id: uuid.UUID) -> int:
    return RecoveryCode.objects.filter(user_id=user_id).count()


def _hash(code: str) -> str:
    """Eighty random bits need no salt and no slow hash."""
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
