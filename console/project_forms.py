"""Forms of the admin for projects and their hosts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst

from core.hosts import domain_entry
from projects import rules
from projects.models import Domain, Project


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """The default can move to another project, but there is always one."""

    class Meta:
        model = Project
        fields = "__all__"  # noqa: DJ007 # the admin chooses

    def clean_is_default(self) -> bool:
        is_default = bool(self.cleaned_data.get("is_default"))
        was_default = Project.objects.filter(pk=self.instance.pk, is_default=True).exists()
        if was_default and not is_default:
            raise ValidationError(f"{capfirst(rules.default_is_needed())}.")
        if is_default and self.instance.archived_at:
            raise ValidationError(f"{capfirst(rules.archived_default())}.")
        return is_default

    def _get_validation_exclusions(self) -> set[str]:
        """Saving unsets the previous default (console.projects), so there is no conflict to report."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc] # Django's own hook, not in the stubs
        return excluded | {"is_default"}


class DomainForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Normalizes hosts, so that two spellings of one host in one form are a duplicate."""

    class Meta:
        model = Domain
        fields: Any = ("host",)

    def clean_host(self) -> str:
        typed = str(self.cleaned_data["host"])
        return domain_entry(typed) or typed
