from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the number of losses of an urgent delivery."""

    dependencies = [
        ('users', '0018_attempts'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='losses',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
