from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0001_initial'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='user',
            options={'permissions': [('reveal_phone', 'Can see a whole phone number, one at a time, and search by a part of one'), ('move_user', 'Can move a user to another number'), ('merge_user', 'Can merge two users')], 'verbose_name': 'user', 'verbose_name_plural': 'users'},
        ),
        migrations.AddField(
            model_name='user',
            name='deletion_began_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
