"""PostgreSQL does not look for the family of each token: it comes with its first tokens, and whoever adds others or deletes
it has locked it."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from core.online_index import DropForeignKey, RunOnPostgres

_TOKENS = {"accesstoken": "access_tokens", "refreshtoken": "refresh_tokens"}


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("oidc", "0004_no_lock_on_the_client")]

    operations: ClassVar = [
        *(
            DropForeignKey(
                model,
                "family",
                models.ForeignKey(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name=related_name,
                    to="oidc.tokenfamily",
                ),
            )
            for model, related_name in _TOKENS.items()
        ),
        # And back: the constraint bears no token whose family is gone.
        RunOnPostgres(
            migrations.RunSQL.noop,
            [
                f"DELETE FROM oidc_{model} t WHERE NOT EXISTS (SELECT FROM oidc_tokenfamily f WHERE f.id = t.family_id)"
                for model in _TOKENS
            ],
        ),
    ]
