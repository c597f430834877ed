from datetime import datetime, timedelta
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Max
from django.utils import timezone

from messaging.store.models.fields import check_address
from messaging.store.states import State

MEMORY = timedelta(days=90)
ROWS = 500


def add_correspondents(apps: Any, _schema_editor: Any) -> None:
    """Enter the addresses that devices wrote to in the last 90 days."""
    Message = apps.get_model('users', 'Message')
    Correspondent = apps.get_model('users', 'Correspondent')
    sent = Message.objects.filter(
        device__isnull=False, raw__isnull=True, created_at__gte=timezone.now() - MEMORY
    )
    newest: dict[tuple[int, str], datetime] = {}
    rows = sent.exclude(recipient='').order_by().values_list('device__owner_id', 'recipient')
    for owner, address, at in rows.annotate(last=Max('created_at')):
        key = owner, address.lower()
        newest[key] = max(at, newest.get(key, at))
    Correspondent.objects.bulk_create(
        (
            Correspondent(owner_id=owner, address=address, written_at=at)
            for (owner, address), at in newest.items()
        ),
        batch_size=ROWS,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    """Adds permissions of contacts, correspondents, blocked authors, and held and refused deliveries.

    Subscribers that are there go on taking messages from all authors.
    """

    dependencies = [
        ('users', '0023_display_names'),
    ]

    operations = [
        migrations.CreateModel(
            name='BlockedAuthor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(db_index=True, max_length=254)),
                ('created_at', models.DateTimeField(default=timezone.now, editable=False)),
            ],
            options={
                'ordering': ['owner', 'address'],
            },
        ),
        migrations.CreateModel(
            name='ContactAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254, validators=[check_address])),
            ],
            options={
                'verbose_name_plural': 'contact addresses',
                'ordering': ['contact', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Correspondent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('written_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['owner', 'address'],
            },
        ),
        migrations.AddField(
            model_name='contact',
            name='gets_receipts',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='may_write',
            field=models.CharField(choices=[('always', 'always'), ('until', 'until'), ('never', 'never')], db_default='always', default='always', max_length=8),
        ),
        migrations.AddField(
            model_name='contact',
            name='must_be_proved',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='contact',
            name='sees_positions',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='write_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='held_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='hold',
            field=models.CharField(blank=True, db_default='', default='', max_length=16),
        ),
        migrations.AddField(
            model_name='message',
            name='author_level',
            field=models.CharField(blank=True, db_default='', default='', max_length=16),
        ),
        migrations.AddField(
            model_name='message',
            name='author_reason',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='subscriber',
            name='senders',
            field=models.CharField(choices=[('known', 'known'), ('open', 'open'), ('closed', 'closed')], db_default='open', default='open', max_length=8),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='state',
            field=models.CharField(choices=[('held', 'Held'), ('waiting', 'Waiting'), ('sent', 'Sent'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('expired', 'Expired'), ('cancelled', 'Cancelled'), ('refused', 'Refused')], default=State.WAITING, max_length=16),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('held_until__isnull', False)), fields=['held_until'], name='delivery_held_expiry'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('held_until__isnull', False)), fields=['subscriber', 'id'], name='delivery_held'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'held'), ('held_until__isnull', False)), models.Q(models.Q(('state', 'held'), _negated=True), models.Q(('held_until__isnull', False), _negated=True)), _connector='OR'), name='delivery_held_until'),
        ),
        migrations.AddField(
            model_name='blockedauthor',
            name='owner',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='blocked', to='users.subscriber'),
        ),
        migrations.AddField(
            model_name='contactaddress',
            name='contact',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='users.contact'),
        ),
        migrations.AddField(
            model_name='correspondent',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='correspondents', to='users.subscriber'),
        ),
        migrations.AddConstraint(
            model_name='blockedauthor',
            constraint=models.UniqueConstraint(fields=('owner', 'address'), name='blocked_author', violation_error_message='This address is blocked already.'),
        ),
        migrations.AddConstraint(
            model_name='contactaddress',
            constraint=models.UniqueConstraint(fields=('contact', 'address'), name='contact_address', violation_error_message='This contact has that address already.'),
        ),
        migrations.AddConstraint(
            model_name='correspondent',
            constraint=models.UniqueConstraint(fields=('owner', 'address'), name='correspondent_of_owner'),
        ),
        migrations.RunPython(add_correspondents, migrations.RunPython.noop),
    ]
