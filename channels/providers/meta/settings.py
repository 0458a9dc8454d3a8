"""The settings of a WhatsApp Business account at Meta."""

import re
from functools import cached_property
from typing import Annotated

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import Field, SecretStr

from channels.calls import ApiUrl
from channels.provider_settings import (
    DEFAULT_TEMPLATE,
    Input,
    Languages,
    ProviderSettings,
    Secret,
    TemplateName,
    matching,
    tokens,
)

API = ApiUrl("whatsapp", "https://graph.facebook.com/v26.0")
CALLBACK_PATH = "/whatsapp/webhook"

_Id = Annotated[
    str,
    Field(max_length=64),
    matching(re.compile(r"[0-9]+\Z"), lambda: gettext("must be the digits of an id")),
]


class MetaSettings(ProviderSettings):
    phone_number_id: Annotated[_Id, Input(_("Phone number ID"))]
    business_account_id: Annotated[_Id, Input(_("WhatsApp Business Account ID"))]
    access_token: Annotated[Secret, Input(_("Access token"))]
    app_secret: Annotated[Secret, Input(_("App secret"))]
    app_secret_previous: Annotated[
        Secret, Input(_("Previous app secret"), _("Still accepted on reports while you rotate."))
    ] = SecretStr("")
    verify_token: Annotated[Secret, Input(_("Verify token"), _("The set-up page makes one."))]
    template_name: Annotated[TemplateName, Input(_("Template name"), key="template.name")] = DEFAULT_TEMPLATE
    template_languages: Annotated[
        Languages,
        Input(_("Template languages"), _("Those approved: en, es, pt_BR"), key="template.languages"),
    ]

    @cached_property
    def app_secrets(self) -> tuple[str, ...]:
        return tokens(self.app_secret, self.app_secret_previous)

    @property
    def sends_from(self) -> str:
        return self.phone_number_id
