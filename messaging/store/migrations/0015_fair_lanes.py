from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds an index of the waiting deliveries by lane."""

    dependencies = [
        ('users', '0014_fetch_mark'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(models.F('via'), models.Case(models.When(recipient_network='satellite', then=models.F('recipient')), default=models.F('sender')), models.F('id'), models.F('due_at'), condition=models.Q(('due_at__isnull', False)), name='delivery_lanes'),
        ),
    ]
