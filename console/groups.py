"""The shipped groups: one for each role, for staff of the whole installation."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models import Q

from users.roles import TABLE, Role, group_name


def ship(app_config: AppConfig, using: str, apps: Any = installed, **_: Any) -> None:  # noqa: ANN401 # Django's signal
    """After each migration: the groups exist and have what the table says. Other groups are left alone.

    Django signals once for each application, and creates its permissions then; with the last one all are there.
    """
    if app_config.label != _last():
        return
    try:
        groups, permissions = (apps.get_model("auth", name)._default_manager.using(using) for name in _MODELS)
    except LookupError:  # migrated only as far as before they exist
        return
    for role in Role:
        group, _made = groups.get_or_create(name=group_name(role))
        group.permissions.set(permissions.filter(_chosen(role)))


_MODELS = ("Group", "Permission")


def _last() -> str:
    return [config.label for config in installed.get_app_configs() if config.models_module is not None][-1]


def _chosen(role: Role) -> Q:
    chosen = Q(pk__in=())
    for model, actions in TABLE[role].items():
        app, name = model.split(".")
        chosen |= Q(
            content_type__app_label=app, codename__in=[f"{action}_{name}" for action in actions.split()]
        )
    return chosen
