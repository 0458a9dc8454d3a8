"""The delivery log: what happened to each challenge, without its code and without the whole number."""

from typing import Any, ClassVar

import structlog
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit.kinds import Kind
from audit.record import record
from channels.models import ChannelChoice
from channels.types import Status
from console import exports, log_filters, log_rows, log_search, timeline
from console.base import ReadOnlyAdmin
from console.numbers import RevealingAdmin
from console.paginator import BoundedPaginator
from otp.models import Challenge, Delivery
from otp.types import State
from users.phones import mask, mask_text

log = structlog.get_logger(__name__)


@admin.register(Challenge)
class ChallengeAdmin(RevealingAdmin, ReadOnlyAdmin):
    """Newest first, a constant number of queries, each by an index."""

    list_display = ("phone_masked", "project", "outcome", "messages", "attempts", "is_test", "created_at")
    list_display_links = ("phone_masked",)
    list_filter = (
        log_filters.FromFilter, log_filters.ToFilter, log_filters.CountryFilter, log_filters.ChannelFilter,
        log_filters.ReasonFilter, log_filters.OutcomeFilter, log_filters.FellBackFilter, log_filters.ProjectFilter,
        log_filters.TestNumberFilter,
    )  # fmt: skip
    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # a count for each choice reads every row
    list_per_page = 50
    list_max_show_all = 0
    list_before_template = "admin/otp/download.html"
    paginator = BoundedPaginator
    show_full_result_count = False
    sortable_by: ClassVar[tuple[str, ...]] = ()  # any other order reads every row
    search_fields = ("id",)
    search_help_text = _("A whole number, or an id")
    change_form_template = "admin/otp/challenge.html"
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Challenge]:
        rows: QuerySet[Challenge] = super().get_queryset(request)
        return rows.select_related("project")

    def get_ordering(self, _request: HttpRequest) -> tuple[str, ...]:
        return ("-id",)

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Challenge], search_term: str
    ) -> tuple[QuerySet[Challenge], bool]:
        """Every row of the list with its messages; a page of one challenge reads them itself."""
        rows = log_search.matching(queryset, search_term)
        return rows.prefetch_related(Prefetch("deliveries", Delivery.objects.order_by("id"))), False

    @admin.display(description=_("number"))
    def phone_masked(self, challenge: Challenge) -> str:
        return mask(challenge.phone)

    @display(  # type: ignore[untyped-decorator] # unfold is not annotated
        description=_("outcome"),
        label={
            State.VERIFIED: "success",
            State.PENDING: "info",
            State.LOCKED: "danger",
            State.EXPIRED: "warning",
        },
    )
    def outcome(self, challenge: Challenge) -> str:
        return challenge.state(timezone.now())

    @admin.display(description=_("messages"))
    def messages(self, challenge: Challenge) -> str:
        return " → ".join(
            f"{ChannelChoice(item.channel).label} {Status(item.status).word}"
            for item in challenge.deliveries.all()
        )

    # The download -------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """A button, since it is recorded who took the table away."""
        export = self.admin_site.admin_view(require_POST(self.export))
        return [path("export/", export, name="otp_challenge_export"), *super().get_urls()]

    def may_export(self, request: HttpRequest) -> bool:
        name = get_permission_codename("export", self.opts)
        return self.has_view_permission(request) and request.user.has_perm(f"{self.opts.app_label}.{name}")

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The rows of the list with its filters and search, all pages, as CSV."""
        if not self.may_export(request):
            raise PermissionDenied
        try:
            shown = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            self.message_user(request, _("A filter is not valid: nothing was exported."), messages.ERROR)
            return redirect("admin:otp_challenge_changelist")
        rows = self.only_with(request, shown, "export")
        asked = {name[:40]: mask_text(str(value)[:200]) for name, value in request.GET.items() if value}
        record(Kind.EXPORTED, after=asked, detail="delivery log")
        log.info("staff.log_exported", staff_id=str(request.user.pk), filters=sorted(asked))
        return exports.stream("delivery-log.csv", header=log_rows.HEADER, rows=log_rows.lines(rows))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        more = {"may_export": self.may_export(request), "most": self.paginator.most}
        page: HttpResponseBase = super().changelist_view(request, {**(extra_context or {}), **more})
        return page

    # One challenge ------------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 # Django's type
        challenge = self.get_object(request, object_id)
        context = {**(extra_context or {}), "title": _("Challenge")}
        if challenge:
            context |= {
                "subtitle": mask(challenge.phone),
                "number": self.revealed(request, challenge),
                "may_reveal": self.may_reveal(request, challenge),
                "summary": timeline.summary(challenge, now=timezone.now()),
                "timeline": timeline.steps(challenge),
            }
        return super().change_view(request, object_id, form_url, context)
