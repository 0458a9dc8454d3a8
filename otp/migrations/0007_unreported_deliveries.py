from django.db import migrations, models


class AddIndexOnline(migrations.AddIndex):
    """Where the database can, without holding up logins: the table may have tens of millions of rows.

    One that was interrupted leaves an index that is not valid; running it again replaces it.
    """

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute('SET statement_timeout = 0')
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}')
        schema_editor.add_index(model, self.index, concurrently=True)
        schema_editor.execute('RESET statement_timeout')


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('channels', '0003_mending'),
        ('otp', '0006_known_browsers'),
    ]

    operations = [
        AddIndexOnline(
            model_name='delivery',
            index=models.Index(condition=models.Q(('status__in', [2, 4])), fields=['sender', 'accepted_at'], name='delivery_unreported'),
        ),
    ]
