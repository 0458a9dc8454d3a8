"""A login does not lock its client, as a message does not lock its sender (otp/migrations/0016)."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from core.online_index import DropForeignKey, RunOnPostgres

ORPHANED = "NOT EXISTS (SELECT FROM oidc_client c WHERE c.id = f.client_id)"


class Migration(migrations.Migration):
    atomic = False

    dependencies: ClassVar = [("oidc", "0003_es256_for_new_clients")]

    operations: ClassVar = [
        DropForeignKey(
            "tokenfamily",
            "client",
            models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="oidc.client",
                verbose_name="client",
            ),
        ),
        # And back: the constraint bears no family of a client that was deleted at the same moment, nor its tokens.
        RunOnPostgres(
            migrations.RunSQL.noop,
            [
                *(
                    f"DELETE FROM oidc_{name} t USING oidc_tokenfamily f WHERE t.family_id = f.id AND {ORPHANED}"
                    for name in ("accesstoken", "refreshtoken", "authorizationcode")
                ),
                f"DELETE FROM oidc_tokenfamily f WHERE {ORPHANED}",
            ],
        ),
    ]
