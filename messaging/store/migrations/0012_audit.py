from typing import Any

import django.utils.timezone
from django.db import migrations, models

REASON = 'the audit is append-only'
SQLITE = (
    "CREATE TRIGGER users_auditentry_update BEFORE UPDATE ON users_auditentry"
    f" BEGIN SELECT RAISE(ABORT, '{REASON}'); END",
    "CREATE TRIGGER users_auditentry_delete BEFORE DELETE ON users_auditentry"
    f" BEGIN SELECT RAISE(ABORT, '{REASON}'); END",
    # INSERT OR REPLACE deletes without the trigger above.
    "CREATE TRIGGER users_auditentry_replace BEFORE INSERT ON users_auditentry"
    " WHEN EXISTS (SELECT 1 FROM users_auditentry WHERE id = NEW.id)"
    f" BEGIN SELECT RAISE(ABORT, '{REASON}'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION users_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{REASON}'; END $$",
    "CREATE TRIGGER users_auditentry_rows BEFORE UPDATE OR DELETE ON users_auditentry"
    " FOR EACH ROW EXECUTE FUNCTION users_auditentry_refuse()",
    "CREATE TRIGGER users_auditentry_truncate BEFORE TRUNCATE ON users_auditentry"
    " FOR EACH STATEMENT EXECUTE FUNCTION users_auditentry_refuse()",
)
POSTGRESQL_BACK = (
    "DROP TRIGGER users_auditentry_rows ON users_auditentry",
    "DROP TRIGGER users_auditentry_truncate ON users_auditentry",
    "DROP FUNCTION users_auditentry_refuse()",
)


def protect(apps: Any, schema_editor: Any) -> None:
    is_sqlite = schema_editor.connection.vendor == 'sqlite'
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        schema_editor.execute(statement)


def unprotect(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != 'sqlite':  # SQLite drops triggers with their table
        for statement in POSTGRESQL_BACK:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    """Adds the audit, with triggers that refuse to change or delete its rows."""

    dependencies = [
        ('users', '0011_claimed_times'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('channel', models.CharField(max_length=8)),
                ('actor', models.CharField(blank=True, max_length=32)),
                ('action', models.CharField(max_length=32)),
                ('kind', models.CharField(max_length=16)),
                ('object_id', models.CharField(blank=True, max_length=32)),
                ('parent_id', models.CharField(blank=True, max_length=32)),
                ('fields', models.CharField(blank=True, max_length=255)),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit',
                'ordering': ['-id'],
                'indexes': [
                    models.Index(fields=['kind', 'object_id'], name='audit_object'),
                    models.Index(fields=['action', 'at'], name='audit_action'),
                ],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
