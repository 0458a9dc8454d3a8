import hashlib

from django.db import migrations

BATCH = 2000
# Keys of earlier releases and of Django have 32 characters, hashes have 40.
_ON_POSTGRESQL = """
UPDATE login_session SET session_key = left(encode(sha256(convert_to(session_key, 'UTF8')), 'hex'), 40)
WHERE session_key IN (SELECT session_key FROM login_session WHERE length(session_key) < 40 LIMIT %s)
"""


def hash_keys(apps, schema_editor, batch=BATCH):
    """In short statements, so that logins do not wait."""
    connection = schema_editor.connection
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            while True:
                cursor.execute(_ON_POSTGRESQL, [batch])
                if cursor.rowcount < batch:
                    return
    sessions = apps.get_model("login", "Session").objects
    for key in list(sessions.values_list("session_key", flat=True)):
        if len(key) < 40:
            sessions.filter(session_key=key).update(session_key=hashlib.sha256(key.encode()).hexdigest()[:40])


class Migration(migrations.Migration):
    """No way leads from a hash back to its key: after a step back everybody signs in again."""

    atomic = False

    dependencies = [
        ("login", "0002_initial"),
    ]

    operations = [migrations.RunPython(hash_keys, migrations.RunPython.noop)]
