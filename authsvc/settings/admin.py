"""The admin: the passwords of staff, who alone have one, and the menu (django-unfold)."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from authsvc.settings.env import PRODUCTION, TESTING
from core import env

# Whether staff must prove a second factor (authenticator app or passkey) after their password, or may set one up.
AUTHSVC_STAFF_SECOND_FACTOR = env.choice(
    "AUTHSVC_STAFF_SECOND_FACTOR", ("required", "offered"), "required" if PRODUCTION else "offered"
)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Tests make hundreds of staff; the real hasher takes a third of a second for each.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher" if TESTING else "users.hashing.BoundedHasher"
]


def _item(title: Promise, icon: str, model: str) -> dict[str, object]:
    """Shown to staff who may see these rows."""
    app, name = model.split("_")

    def may_see(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"{app}.view_{name}"))

    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": may_see,
    }


UNFOLD: dict[str, object] = {
    "SITE_TITLE": "authsvc",
    "SITE_HEADER": "authsvc",
    "SITE_SYMBOL": "phonelink_lock",
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda _request: static("console/frame.css")],
    "SCRIPTS": [lambda _request: static("console/frame.js")],
    "DASHBOARD_CALLBACK": "console.dashboard.context",
    "ACCOUNT": {
        "navigation": [
            {"title": _("Your security"), "link": reverse_lazy("admin:security")},
            {"title": _("Sessions"), "link": reverse_lazy("admin:staff_sessions")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
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
                    {"title": _("Set-up list"), "icon": "checklist", "link": reverse_lazy("admin:setup")},
                    _item(_("Rehearse a login"), "theater_comedy", "channels_rehearsal"),
                    _item(_("Projects"), "apps", "projects_project"),
                    _item(_("Roles in projects"), "badge", "users_membership"),
                    _item(_("Invitations"), "person_add", "users_invitation"),
                    _item(_("Event URLs"), "webhook", "events_endpoint"),
                    _item(_("Events"), "send", "events_event"),
                    _item(_("Signing keys"), "key", "oidc_signingkey"),
                    _item(_("Log-out notices"), "logout", "oidc_logoutnotice"),
                    _item(_("Audit log"), "history", "audit_auditevent"),
                ],
            },
            {
                "title": _("Statistics"),
                "items": [
                    {"title": _("Dashboard"), "icon": "monitoring", "link": reverse_lazy("admin:index")},
                    _item(_("Prices"), "payments", "stats_price"),
                    _item(_("Statistics tokens"), "vpn_key", "stats_statstoken"),
                ],
            },
        ],
    },
}
