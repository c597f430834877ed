from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the primary device, the time at which a device was heard last, and reports of a low battery."""

    dependencies = [
        ('users', '0015_fair_lanes'),
    ]

    operations = [
        migrations.AddField(
            model_name='device',
            name='is_primary',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='device',
            name='heard_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='deviceposition',
            name='battery_low',
            field=models.BooleanField(null=True),
        ),
    ]
