from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds how far the lists of providers were read."""

    dependencies = [
        ('users', '0013_encryption'),
    ]

    operations = [
        migrations.CreateModel(
            name='FetchMark',
            fields=[
                ('history', models.CharField(max_length=96, primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
            ],
        ),
    ]
