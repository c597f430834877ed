import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the mailboxes of subscribers, the notes to authors, and the kinds of mails that the gateway writes itself."""

    dependencies = [
        ('users', '0026_budgets'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='mail_kind',
            field=models.CharField(blank=True, db_default='', default='', max_length=16),
        ),
        migrations.CreateModel(
            name='OwnerMailbox',
            fields=[
                ('owner', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='own_mailbox', serialize=False, to='users.subscriber')),
                ('address', models.CharField(blank=True, max_length=254)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('code_made_at', models.DateTimeField(null=True)),
                ('codes', models.PositiveIntegerField(default=0)),
                ('codes_since', models.DateTimeField(null=True)),
                ('digest_at', models.DateTimeField(null=True)),
                ('digest_until', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name_plural': 'owner mailboxes',
                'indexes': [models.Index(fields=['digest_at'], name='mailbox_digest')],
            },
        ),
        migrations.CreateModel(
            name='HeldNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author', models.CharField(max_length=254)),
                ('sent_at', models.DateTimeField()),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='held_notes', to='users.subscriber')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'author'), name='held_note_of_owner')],
            },
        ),
    ]
