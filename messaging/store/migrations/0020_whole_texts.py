from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the whole text of a mail, and the addresses for failures and answers."""

    dependencies = [
        ('users', '0019_losses'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='whole_text',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='message',
            name='return_path',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='message',
            name='answer_address',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='message',
            name='takes_answers',
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
