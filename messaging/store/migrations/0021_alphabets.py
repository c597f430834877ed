from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the alphabet of devices."""

    dependencies = [
        ('users', '0020_whole_texts'),
    ]

    operations = [
        migrations.AddField(
            model_name='device',
            name='alphabet',
            field=models.CharField(
                blank=True,
                choices=[('exact', 'exact'), ('plain', 'plain'), ('ascii', 'ascii')],
                db_default='',
                default='',
                max_length=8,
            ),
        ),
    ]
