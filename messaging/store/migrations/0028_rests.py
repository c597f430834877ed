from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the deliveries that carry the rest of a text whose first parts another one sent."""

    dependencies = [
        ('users', '0027_digest'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='rest_characters',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
