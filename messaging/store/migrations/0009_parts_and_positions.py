from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    """Renames two models. The tables and columns keep their names, so no statement runs."""

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
            ],
        ),
    ]
