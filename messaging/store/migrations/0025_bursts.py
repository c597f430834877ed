from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the counts of messages within an hour."""

    dependencies = [
        ('users', '0024_admission'),
    ]

    operations = [
        migrations.CreateModel(
            name='BurstCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BigIntegerField()),
                ('period', models.IntegerField()),
                ('writer', models.SmallIntegerField()),
                ('number', models.IntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key', 'period', 'writer'), name='burst_count')],
            },
        ),
    ]
