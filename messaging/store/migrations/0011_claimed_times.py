from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.db.models import F, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

TOLERANCE = timedelta(minutes=10)


def replace_future_times(apps: Any, schema_editor: Any) -> None:
    """Give the positions from the future a time of the past: three quick statements for each device.

    The time of receipt is known for emergencies only, whose messages have the same ids. The others get the time of the
    newest position that can be believed, behind which they are listed.
    """
    Device = apps.get_model('users', 'Device')
    DevicePosition = apps.get_model('users', 'DevicePosition')
    Message = apps.get_model('users', 'Message')
    now = timezone.now()
    received = Message.objects.filter(id=OuterRef('pk')).values('created_at')
    for device in Device.objects.order_by('id').values_list('id', flat=True).iterator():
        rows = DevicePosition.objects.filter(device=device)
        future = rows.filter(at__gt=now + TOLERANCE)
        if future.exists():
            newest = rows.filter(at__lte=now).aggregate(newest=Max('at'))['newest'] or now
            future.update(
                claimed_at=F('at'),
                at=Coalesce(Subquery(received), Value(newest), output_field=models.DateTimeField()),
            )


class Migration(migrations.Migration):
    """Adds the time in the future that a device claims, and moves it there from the positions that have one."""

    dependencies = [
        ('users', '0010_retention'),
    ]

    operations = [
        migrations.AddField(
            model_name='deviceposition',
            name='claimed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(replace_future_times, migrations.RunPython.noop),
    ]
