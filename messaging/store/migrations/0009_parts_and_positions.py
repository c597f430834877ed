from django.db import migrations, models
import django.db.models.deletion

import messaging.store.models.fields


class Migration(migrations.Migration):
    """Renames two models and rewords a message. The tables and columns keep their names, so no statement runs."""

    dependencies = [
        ('users', '0008_urgent_first'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelTable(name='HandedPart', table='users_handedpart'),
                migrations.RenameModel(old_name='HandedPart', new_name='DeliveryPart'),
                migrations.AlterField(
                    model_name='deliverypart',
                    name='delivery',
                    field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='users.delivery'),
                ),
                migrations.AlterModelTable(name='Sighting', table='users_sighting'),
                migrations.RenameModel(old_name='Sighting', new_name='DevicePosition'),
                migrations.AlterField(
                    model_name='deviceposition',
                    name='device',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='positions', to='users.device'),
                ),
                migrations.AlterField(
                    model_name='subscriber',
                    name='number',
                    field=models.CharField(blank=True, error_messages={'unique': 'This number belongs to another subscriber.'}, max_length=16, null=True, unique=True, validators=[messaging.store.models.fields.check_number]),
                ),
            ],
        ),
    ]
