from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the display name of a sender who is no contact."""

    dependencies = [
        ('users', '0022_time_zones'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='display_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
    ]
