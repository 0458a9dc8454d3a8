"""The set-up page in the admin of senders: one page that shows, buttons that post, a part that is fetched again."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from channels.findings import Level
from channels.models import Sender
from channels.providers import PROVIDERS
from channels.setup import Setup
from console.base import ConsoleAdmin
from console.sender_setup import page
from console.sender_setup.actions import ACTIONS, Outcome, Work
from core.fields import UnreadableSecret
from otp.models import Challenge, Purpose
from projects.origin import address_of

_MESSAGES = {Level.OK: messages.SUCCESS, Level.WARN: messages.WARNING, Level.FAIL: messages.ERROR}


class SenderSetupAdmin(ConsoleAdmin):
    """The part of the senders' admin that sets them up."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        shown = wrap(require_http_methods(["GET", "POST"])(self.setup_view))
        live = wrap(require_GET(self.live_view))
        return [
            path("<path:object_id>/setup/", shown, name="channels_sender_setup"),
            path("<path:object_id>/setup/live/", live, name="channels_sender_setup_live"),
            *super().get_urls(),
        ]

    @admin.display(description=_("set-up"))
    def set_up(self, sender: Sender) -> SafeString | str:
        if page.setup_of(sender) is None:
            return "—"
        address = reverse("admin:channels_sender_setup", args=[sender.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', address, _("Set up"))

    def response_add(self, request: HttpRequest, obj: Sender, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        """On to the page that checks it, unless another button was pressed."""
        answer: HttpResponse = super().response_add(request, obj, *args, **kwargs)
        if "_save" in request.POST and page.setup_of(obj) and self.has_view_permission(request, obj):
            return redirect("admin:channels_sender_setup", obj.pk)
        return answer

    def _asked_for(self, request: HttpRequest, object_id: str) -> tuple[Sender, Setup]:
        """Raises PermissionDenied, Http404."""
        sender: Sender | None = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, sender):
            raise PermissionDenied
        setup = page.setup_of(sender) if sender else None
        if sender is None or setup is None:
            raise Http404
        return sender, setup

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What changes by itself, to be put into the page: no provider is asked."""
        sender, setup = self._asked_for(request, object_id)
        context = {"page": page.build(sender, setup, challenge=_challenge(request, sender))}
        return TemplateResponse(request, "admin/channels/sender_setup_live.html", context)

    def setup_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sender, setup = self._asked_for(request, object_id)
        if request.method != "POST":
            return self._page(request, sender, setup, Outcome())
        if not self.has_change_permission(request, sender):
            raise PermissionDenied
        outcome = self._done(request, sender, setup)
        if outcome.history:
            self.log_each(request, [sender], outcome.history)
        if outcome.shown:
            return self._page(request, self._fresh(request, sender), setup, outcome)
        self.message_user(request, outcome.text, _MESSAGES[outcome.level])
        address = reverse("admin:channels_sender_setup", args=[sender.pk])
        challenge = outcome.challenge_id or _uuid(request.POST.get("challenge", ""))
        return redirect(f"{address}?challenge={challenge}" if challenge else address)

    def _fresh(self, request: HttpRequest, sender: Sender) -> Sender:
        again: Sender | None = self.get_object(request, str(sender.pk))
        return again or sender

    def _done(self, request: HttpRequest, sender: Sender, setup: Setup) -> Outcome:
        action = ACTIONS.get(request.POST.get("action", ""))
        if action is None:
            return Outcome(text=str(_("Nothing was done")), level=Level.FAIL)
        work = Work(
            row=sender,
            setup=setup,
            form=request.POST.dict(),
            languages=request.POST.getlist("languages"),
            public_url=_public_url(request),
        )
        try:
            return action(work)
        except UnreadableSecret:
            text = _("No key opens the secrets of this sender: enter them again in its form")
            return Outcome(text=str(text), level=Level.FAIL)

    def _page(self, request: HttpRequest, sender: Sender, setup: Setup, outcome: Outcome) -> HttpResponse:
        context = self._context(request, sender, setup, outcome)
        return TemplateResponse(request, "admin/channels/sender_setup.html", context)

    def _context(
        self, request: HttpRequest, sender: Sender, setup: Setup, outcome: Outcome
    ) -> dict[str, Any]:
        provider, challenge = PROVIDERS[sender.provider], _challenge(request, sender)
        public_url = _public_url(request)
        return {
            **self.admin_site.each_context(request),
            "title": _("Set up %(sender)s") % {"sender": sender},
            "opts": self.opts,
            "sender": sender,
            "provider": provider,
            "can_subscribe": setup.subscribe is not None,  # templates would call it
            "can_greet": setup.greet is not None,
            "page": page.build(sender, setup, challenge=challenge),
            "challenge": challenge.pk if challenge else "",
            "callback_url": page.callback_url(provider, public_url),
            "can_verify": bool(setup.verify_token),
            "projects": page.served(sender),
            "may_change": self.has_change_permission(request, sender),
            **outcome.shown,
        }


def _public_url(request: HttpRequest) -> str:
    return str(settings.AUTHSVC_PUBLIC_URL or address_of(request))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _challenge(request: HttpRequest, sender: Sender) -> Challenge | None:
    """The test code that the address names: of a project that this sender serves, and nobody's login."""
    challenge = _uuid(request.GET.get("challenge", ""))
    if challenge is None:
        return None
    rows = Challenge.objects.filter(pk=challenge, purpose=Purpose.TEST_MESSAGE.value)
    return rows.filter(project_id__in=[project.id for project in page.served(sender)]).first()
