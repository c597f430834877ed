from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.utils.timezone
from django.db import migrations, models

import messaging.store.models.budgets


class Migration(migrations.Migration):
    """Adds tariffs, budgets with their figures and bookings, and the estimated units of deliveries."""

    dependencies = [
        ('users', '0025_bursts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tariff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(max_length=32, unique=True)),
                ('price', models.DecimalField(decimal_places=6, max_digits=15, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('currency', models.CharField(max_length=3, validators=[messaging.store.models.budgets.check_currency])),
                ('free_units', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['account'],
            },
        ),
        migrations.AddField(
            model_name='delivery',
            name='estimated_units',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('gateway', 'Gateway'), ('account', 'Account'), ('subscriber', 'Subscriber'), ('device', 'Device'), ('contact', 'Contact')], max_length=16)),
                ('account', models.CharField(blank=True, default='', max_length=32)),
                ('max_amount', models.DecimalField(decimal_places=6, max_digits=15, validators=[django.core.validators.MinValueValidator(Decimal('0'))])),
                ('currency', models.CharField(blank=True, default='', max_length=3, validators=[messaging.store.models.budgets.check_currency])),
                ('period', models.CharField(choices=[('day', 'day'), ('week', 'week'), ('month', 'month'), ('trip', 'trip')], default='month', max_length=8)),
                ('reserve_percent', models.PositiveSmallIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(100)])),
                ('trip_began_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='users.contact')),
                ('device', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='users.device')),
                ('subscriber', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='users.subscriber')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='BudgetPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField()),
                ('added', models.BigIntegerField(default=0)),
                ('reserved', models.BigIntegerField(default=0)),
                ('spent', models.BigIntegerField(default=0)),
                ('warned_percent', models.PositiveSmallIntegerField(default=0)),
                ('warned_at', models.DateTimeField(null=True)),
                ('budget', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='periods', to='users.budget')),
            ],
            options={
                'ordering': ['-starts_at', 'budget'],
            },
        ),
        migrations.CreateModel(
            name='BudgetBooking',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
                ('is_spent', models.BooleanField(default=False)),
                ('delivery', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='bookings', to='users.delivery')),
                ('period', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='bookings', to='users.budgetperiod')),
            ],
        ),
        migrations.AddIndex(
            model_name='budget',
            index=models.Index(fields=['scope', 'account'], name='budget_scope'),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.UniqueConstraint(models.F('scope'), models.F('account'), django.db.models.functions.comparison.Coalesce(models.F('subscriber'), 0), django.db.models.functions.comparison.Coalesce(models.F('device'), 0), django.db.models.functions.comparison.Coalesce(models.F('contact'), 0), models.F('currency'), models.F('period'), name='budget_once', violation_error_message='There is such a budget already: change that one.'),
        ),
        migrations.AddConstraint(
            model_name='budgetperiod',
            constraint=models.UniqueConstraint(fields=('budget', 'starts_at'), name='budget_period'),
        ),
        migrations.AddIndex(
            model_name='budgetbooking',
            index=models.Index(condition=models.Q(('is_spent', False)), fields=['delivery'], name='booking_open'),
        ),
        migrations.AddConstraint(
            model_name='budgetbooking',
            constraint=models.UniqueConstraint(fields=('period', 'delivery'), name='booking_once'),
        ),
    ]
