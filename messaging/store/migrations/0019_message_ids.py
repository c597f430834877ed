from django.db import migrations, models
from django.db.models.functions import Left


class Migration(migrations.Migration):
    """Adds an index of the messages by Message-ID."""

    dependencies = [
        ('users', '0018_attempts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(Left('reference', 200), name='message_reference'),
        ),
    ]
