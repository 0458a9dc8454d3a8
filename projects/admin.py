"""Projects in the admin. Login methods are in `channels.admin`: what they promise is checked against senders."""

from typing import ClassVar

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from projects.models import Domain, Project


class DomainInline(TabularInline):  # type: ignore[misc] # unfold is not annotated
    model = Domain
    extra = 0
    tab = True


@admin.register(Project)
class ProjectAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    list_display = ("name", "slug", "is_default", "created_at")
    inlines: ClassVar = [DomainInline]
    prepopulated_fields: ClassVar = {"slug": ("name",)}
