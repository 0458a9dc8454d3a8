"""The admin: the passwords of staff, who alone have one, and the menu (django-unfold)."""

from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from authsvc.settings.env import TESTING

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Tests make hundreds of staff; the real hasher takes a third of a second for each.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher" if TESTING else "users.hashing.BoundedHasher"
]


def _item(title: Promise, icon: str, model: str) -> dict[str, object]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


UNFOLD: dict[str, object] = {
    "SITE_TITLE": "authsvc",
    "SITE_HEADER": "authsvc",
    "SITE_SYMBOL": "phonelink_lock",
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Authentication"),
                "items": [
                    _item(_("Login methods"), "login", "projects_loginmethods"),
                    _item(_("Test numbers"), "science", "projects_testnumber"),
                    _item(_("Senders"), "outgoing_mail", "channels_sender"),
                    _item(_("Delivery log"), "receipt_long", "otp_challenge"),
                    _item(_("Users"), "group", "users_user"),
                    _item(_("Clients"), "widgets", "oidc_client"),
                ],
            },
            {
                "title": _("Set-up"),
                "items": [
                    _item(_("Projects"), "apps", "projects_project"),
                    _item(_("Event URLs"), "webhook", "events_endpoint"),
                    _item(_("Events"), "send", "events_event"),
                    _item(_("Signing keys"), "key", "oidc_signingkey"),
                    _item(_("Log-out notices"), "logout", "oidc_logoutnotice"),
                ],
            },
        ],
    },
}
