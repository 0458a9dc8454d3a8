"""What Meta's notices mean for an operator: problem and remedy, with the template and the language it is about."""

from django.utils.translation import gettext_lazy as _

from channels.notices import Notice, Subject, Topic
from channels.provider import Words
from channels.types import FailureReason

_MISSING = (
    _("The template {template} does not exist in {language}, or is not approved"),
    _(
        "Create it in WhatsApp Manager, or remove the language here. Messages go in another language meanwhile."
    ),
)
# Why a template cannot be sent in a language.
_TEMPLATE: dict[str, Words] = {
    FailureReason.TEMPLATE_MISSING: _MISSING,
    FailureReason.TEMPLATE_PAUSED: (
        _("The template {template} is paused or disabled in {language}"),
        _("Look at its quality in WhatsApp Manager. Messages go in another language meanwhile."),
    ),
    FailureReason.TEMPLATE_UNFIT: (
        _("The template {template} does not take a code in {language}"),
        _("Create it there as an authentication template with a copy-code button."),
    ),
}
_TOPICS: dict[Topic, Words] = {
    Topic.TEMPLATE_RISK: (
        _("Meta warns that the template {template} will be paused in {language}"),
        _("Look at its quality in WhatsApp Manager, and have another language or template approved."),
    ),
    Topic.TEMPLATE_QUALITY: (
        _("The quality of the template {template} in {language} is {reason}"),
        _("Look at who blocks or reports the messages: Meta pauses templates of low quality."),
    ),
    Topic.TEMPLATE_CATEGORY: (
        _("Meta puts the template {template} in {language} into the category {reason}"),
        _("Appeal in WhatsApp Manager, or create it anew as an authentication template."),
    ),
    Topic.NUMBER_QUALITY: (
        _("Meta lowers the quality or the limit of a number of this account ({reason})"),
        _("Look at who blocks or reports the messages, and at the messaging limit in WhatsApp Manager."),
    ),
    Topic.DISPLAY_NAME: (
        _("Meta refuses the display name of a number of this account ({reason})"),
        _("Submit another name in WhatsApp Manager: without one Meta limits what is sent."),
    ),
    Topic.ACCOUNT: (
        _("Meta restricts the WhatsApp Business account ({reason})"),
        _("Look for the notice in WhatsApp Manager, Account quality, and appeal there."),
    ),
    Topic.ACCOUNT_REVIEW: (
        _("Meta has refused the WhatsApp Business account in its review ({reason})"),
        _("Look for the notice in WhatsApp Manager, Account quality, and appeal there."),
    ),
    Topic.ACCOUNT_ALERT: (
        _("Meta has an alert for the WhatsApp Business account ({reason})"),
        _("WhatsApp Manager says what it is about and what to do."),
    ),
}


def words(subject: Subject, notice: Notice) -> tuple[str, str]:
    """Problem and remedy, in the language that is active now."""
    if subject.topic is Topic.TEMPLATE:
        problem, remedy = _TEMPLATE.get(notice.reason, _MISSING)
    else:
        problem, remedy = _TOPICS[subject.topic]
    names = {"template": subject.template, "language": subject.language, "reason": notice.reason}
    return str(problem).format(**names), str(remedy)
