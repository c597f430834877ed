from django.db import migrations, models

import messaging.store.models.fields


class Migration(migrations.Migration):
    """Adds the time zones and languages of subscribers and devices."""

    dependencies = [
        ('users', '0021_alphabets'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscriber',
            name='time_zone',
            field=models.CharField(blank=True, db_default='UTC', default='UTC', max_length=64, validators=[messaging.store.models.fields.check_time_zone]),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='language',
            field=models.CharField(blank=True, db_default='en', default='en', max_length=16, validators=[messaging.store.models.fields.check_language]),
        ),
        migrations.AddField(
            model_name='device',
            name='time_zone',
            field=models.CharField(blank=True, db_default='', default='', max_length=64, validators=[messaging.store.models.fields.check_time_zone]),
        ),
        migrations.AddField(
            model_name='device',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', max_length=16, validators=[messaging.store.models.fields.check_language]),
        ),
    ]
