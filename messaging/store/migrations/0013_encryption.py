from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column of encrypted positions, and the names of the keys that encrypt values of the store."""

    dependencies = [
        ('users', '0012_audit'),
    ]

    operations = [
        migrations.CreateModel(
            name='StoreKey',
            fields=[
                ('name', models.CharField(max_length=8, primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='deviceposition',
            name='encrypted',
            field=models.TextField(null=True),
        ),
    ]
