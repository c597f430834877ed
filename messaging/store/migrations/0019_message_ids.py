from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds an index of the messages by Message-ID."""

    dependencies = [
        ('users', '0018_attempts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.Func(models.F('reference'), function='SUBSTR', template='%(function)s(%(expressions)s, 1, 200)'), name='message_reference'),
        ),
    ]
