import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the history of attempts."""

    dependencies = [
        ('users', '0017_cache'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('began_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField()),
                ('outcome', models.CharField(max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('units', models.PositiveIntegerField(null=True)),
                ('delivery', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='history', to='users.delivery')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='attempt_of_delivery')],
            },
        ),
    ]
