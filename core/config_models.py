"""Rows that processes cache: saving or deleting any of them raises the configuration version."""

from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models import F, Q

from core import config_version


class ConfigVersion(models.Model):
    """A single row whose value rises with every change of configuration, in the same transaction."""

    value = models.BigIntegerField(default=1)

    class Meta:
        app_label = "projects"  # the table has always been in this app
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="config_version_single_row")]

    @classmethod
    def bump(cls) -> None:
        """Raise the version in the open transaction; processes see it after the commit.

        The row lock makes concurrent writers wait, so versions rise in the order of commits.
        """
        if not cls.objects.filter(id=1).update(value=F("value") + 1):
            cls.objects.get_or_create(id=1)
        version = cls.objects.values_list("value", flat=True).get(id=1)
        transaction.on_commit(lambda: config_version.publish(version))


class ConfigQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Deleting many rows at once, as the admin's list does, raises the version too."""

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete()
            ConfigVersion.bump()
        return deleted


class ConfigModel(models.Model):
    """Base of rows that processes cache: all processes see a save or delete at once."""

    objects = ConfigQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        with transaction.atomic():
            super().save(*args, **kwargs)
            ConfigVersion.bump()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ANN401 # Django's signature
        with transaction.atomic():
            deleted = super().delete(*args, **kwargs)
            ConfigVersion.bump()
        return deleted
