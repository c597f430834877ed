from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the table of the cache, which counts tries to sign in."""

    dependencies = [
        ('users', '0016_devices'),
    ]

    operations = [
        migrations.CreateModel(
            name='CacheEntry',
            fields=[
                ('cache_key', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('value', models.TextField()),
                ('expires', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'users_cache',
                'ordering': ['cache_key'],
            },
        ),
    ]
