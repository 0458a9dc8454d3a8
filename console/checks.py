"""System checks of the admin."""

from django.contrib import admin
from django.core.checks import CheckMessage, Error, register

from console.base import ConsoleAdmin


@register
def check_admin(**_: object) -> list[CheckMessage]:
    """Pages that other packages register skip the rules of the base class: they may show secrets."""
    return [
        Error(f"{model._meta.label} is in the admin without console.base.ConsoleAdmin", id="authsvc.E020")
        for model, model_admin in admin.site._registry.items()  # noqa: SLF001 # Django has no other way to ask
        if not isinstance(model_admin, ConsoleAdmin)
    ]
