from django.db import migrations, models

from core.online_index import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('otp', '0011_failover'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='challenge',
            options={'ordering': ('-id',), 'permissions': [('export_challenge', 'Can download the delivery log')], 'verbose_name': 'challenge', 'verbose_name_plural': 'Delivery log'},
        ),
        AddIndexOnline(
            model_name='challenge',
            index=models.Index(fields=['phone'], name='challenge_by_number', opclasses=['varchar_pattern_ops']),
        ),
        AddIndexOnline(
            model_name='delivery',
            index=models.Index(fields=['channel', 'challenge'], name='delivery_by_channel'),
        ),
        AddIndexOnline(
            model_name='delivery',
            index=models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['reason', 'challenge'], name='delivery_by_reason'),
        ),
    ]
