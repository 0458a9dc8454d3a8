"""What can happen, in a word that never changes its meaning; the label follows the name of who did it."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    ADDED = "added", _("added")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")
    ACTED = "acted", _("acted on")  # `detail` says what was done

    SIGNED_IN = "staff.signed_in", _("signed in")
    SIGN_IN_REFUSED = "staff.sign_in_refused", _("was refused at the sign-in")
    SIGNED_OUT = "staff.signed_out", _("signed out")
    PASSWORD_CHANGED = "staff.password_changed", _("changed the password")
    PASSWORD_REFUSED = "staff.password_refused", _("was refused a new password")

    BLOCKED = "user.blocked", _("blocked")
    UNBLOCKED = "user.unblocked", _("unblocked")
    SIGNED_OUT_EVERYWHERE = "user.signed_out_everywhere", _("signed out everywhere")

    SECRET_RENEWED = "secret.renewed", _("renewed the secret")
    KEY_CREATED = "key.created", _("created the signing key")
    SECRETS_REENCRYPTED = "secrets.reencrypted", _("re-encrypted the secrets")

    NUMBERS_MOVED = "numbers.moved", _("moved old numbers to their present form")

    PROJECT_ARCHIVED = "project.archived", _("archived")
    PROJECT_RESTORED = "project.restored", _("restored")
    PROJECT_DELETION_BEGAN = "project.deletion_began", _("began to delete")
    PROJECT_DELETED = "project.deleted", _("deleted the last row of")

    SENT_AGAIN = "sent_again", _("sent again")
    EXPORTED = "exported", _("exported")


class Outcome(TextChoices):
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")
