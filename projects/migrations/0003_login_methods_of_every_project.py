"""A project that was made without login methods gets its row: until it names countries it is not set up yet."""

from django.db import migrations


def add_missing(apps, schema_editor):
    project = apps.get_model("projects", "Project")
    methods = apps.get_model("projects", "LoginMethods")
    for row in project.objects.filter(login_methods=None):
        methods.objects.create(project=row)


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_archive_and_ports")]

    operations = [migrations.RunPython(add_missing, migrations.RunPython.noop)]
