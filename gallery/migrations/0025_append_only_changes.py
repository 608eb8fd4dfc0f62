"""The log of changes is appended to, and says which transaction wrote a change."""

from django.db import migrations, models


def drop_triggers(apps, schema_editor):
    """The triggers name the table that SQLite makes anew; `migrate` creates them again when it is done."""
    from gallery.models.change import trigger_names

    for name, table in trigger_names().items():
        if schema_editor.connection.vendor == 'sqlite':
            schema_editor.execute(f'DROP TRIGGER IF EXISTS {name}')
        else:
            schema_editor.execute(f'DROP TRIGGER IF EXISTS {name} ON {table}')


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0024_tag_decisions'),
    ]

    operations = [
        migrations.RunPython(drop_triggers, migrations.RunPython.noop),
        migrations.AddField(
            model_name='change',
            name='transaction',
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AlterField(
            model_name='change',
            name='image_id',
            field=models.BigIntegerField(db_index=True),
        ),
        migrations.AlterField(
            model_name='change',
            name='seq',
            field=models.BigAutoField(primary_key=True, serialize=False),
        ),
    ]
