"""How the admin is laid out: its name and its menu (django-unfold)."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, object] = {
    "SITE_TITLE": "authsvc",
    "SITE_HEADER": "authsvc",
    "SITE_SYMBOL": "phonelink_lock",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            {
                "title": _("Authentication"),
                "items": [
                    {
                        "title": _("Login methods"),
                        "icon": "login",
                        "link": reverse_lazy("admin:projects_loginmethods_changelist"),
                    },
                    {
                        "title": _("Test numbers"),
                        "icon": "science",
                        "link": reverse_lazy("admin:projects_testnumber_changelist"),
                    },
                    {
                        "title": _("Senders"),
                        "icon": "outgoing_mail",
                        "link": reverse_lazy("admin:channels_sender_changelist"),
                    },
                    {
                        "title": _("Delivery log"),
                        "icon": "receipt_long",
                        "link": reverse_lazy("admin:otp_challenge_changelist"),
                    },
                    {
                        "title": _("Users"),
                        "icon": "group",
                        "link": reverse_lazy("admin:users_user_changelist"),
                    },
                    {
                        "title": _("Clients"),
                        "icon": "widgets",
                        "link": reverse_lazy("admin:oidc_client_changelist"),
                    },
                ],
            },
            {
                "title": _("Set-up"),
                "items": [
                    {
                        "title": _("Projects"),
                        "icon": "apps",
                        "link": reverse_lazy("admin:projects_project_changelist"),
                    },
                    {
                        "title": _("Event URLs"),
                        "icon": "webhook",
                        "link": reverse_lazy("admin:events_endpoint_changelist"),
                    },
                    {
                        "title": _("Events"),
                        "icon": "send",
                        "link": reverse_lazy("admin:events_event_changelist"),
                    },
                    {
                        "title": _("Signing keys"),
                        "icon": "key",
                        "link": reverse_lazy("admin:oidc_signingkey_changelist"),
                    },
                    {
                        "title": _("Log-out notices"),
                        "icon": "logout",
                        "link": reverse_lazy("admin:oidc_logoutnotice_changelist"),
                    },
                ],
            },
        ],
    },
}
