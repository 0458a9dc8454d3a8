from django.db import migrations, models

from core.online_index import AddIndexOnline, RunOnPostgres


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('users', '0002_erased_and_merged_users'),
    ]

    operations = [
        AddIndexOnline(
            model_name='user',
            index=models.Index(condition=models.Q(('deletion_began_at__isnull', False)), fields=['deletion_began_at'], name='user_being_deleted'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(fields=['phone'], name='user_by_number', opclasses=['varchar_pattern_ops']),
        ),
        # How a number ends, for a search by its last digits.
        RunOnPostgres(
            sql=[
                'SET statement_timeout = 0',
                'SET lock_timeout = 0',
                'DROP INDEX CONCURRENTLY IF EXISTS user_by_last_digits',
                'CREATE INDEX CONCURRENTLY user_by_last_digits ON users_user (reverse(phone) text_pattern_ops)',
                'RESET statement_timeout',
                'RESET lock_timeout',
            ],
            reverse_sql='DROP INDEX CONCURRENTLY IF EXISTS user_by_last_digits',
        ),
    ]
