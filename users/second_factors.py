"""All second factors of a member of staff together: whether there is one, removing, and starting again."""

import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from users import services
from users.factor_models import Passkey, RecoveryCode, Totp
from users.models import User


def exist(user_id: uuid.UUID) -> bool:
    """One statement. Recovery codes alone are no factor: they are shown when the first one is set up."""
    totp = Totp.objects.filter(user=OuterRef("pk"), is_confirmed=True)
    passkey = Passkey.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(Q(Exists(totp)) | Q(Exists(passkey)), pk=user_id).exists()


class LastFactor(Exception):
    """It cannot be removed: the installation requires one."""


@transaction.atomic
def remove(user_id: uuid.UUID, *, passkey_id: uuid.UUID | None, keep_one: bool) -> bool:
    """Remove a passkey, or without an id the authenticator app; False if there is none. Sessions end, since one of
    them may have been opened with it. Raises LastFactor."""
    User.objects.select_for_update().get(pk=user_id)  # two removals at once: one of them sees the other
    if passkey_id:
        count, _ = Passkey.objects.filter(user_id=user_id, pk=passkey_id).delete()
    else:
        count, _ = Totp.objects.filter(user_id=user_id, is_confirmed=True).delete()
    if not count:
        return False
    if not exist(user_id):
        if keep_one:
            raise LastFactor  # the deletion is rolled back
        RecoveryCode.objects.filter(user_id=user_id).delete()
    services.end_all_sessions(user_id=user_id)
    return True


@transaction.atomic
def reset(user_id: uuid.UUID) -> int:
    """Remove all factors and recovery codes and end all sessions. The next sign-in sets up a new one. How many."""
    rows = [model.objects.filter(user_id=user_id) for model in (Totp, Passkey, RecoveryCode)]
    count = sum(queryset.delete()[0] for queryset in rows)
    services.end_all_sessions(user_id=user_id)
    return count
