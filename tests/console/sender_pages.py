"""What the admin's form of a sender sends."""

from typing import Any

from channels.providers import PROVIDERS

_OWN = {"channel", "provider", "project", "is_active", "delete_secrets", "name", "priority"}


def sender_form(values: dict[str, Any]) -> dict[str, Any]:
    """Fields under their provider's names: the chosen one's, else those of the one that has such a field."""
    chosen = PROVIDERS.get(values["provider"])
    form = {}
    for name, value in values.items():
        owners = [item for item in PROVIDERS.values() if name in item.inputs and not item.is_for_development]
        owner = chosen if chosen in owners else owners[0] if owners else None
        form[name if name in _OWN or owner is None else f"{owner.name}_{name}"] = value
    return {name: value for name, value in form.items() if value is not None}
