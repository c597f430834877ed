from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the counts of dead letters, the ids of removed messages, and when a text was removed."""

    dependencies = [
        ('users', '0009_parts_and_positions'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscriber', models.BigIntegerField(null=True)),
                ('rows', models.IntegerField()),
                ('bytes', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='RemovedMessage',
            fields=[
                ('id', models.CharField(max_length=32, primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name='message',
            name='text_removed_at',
            field=models.DateTimeField(null=True),
        ),
    ]
