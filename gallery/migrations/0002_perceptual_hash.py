from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='perceptual_hash',
            field=models.BigIntegerField(editable=False, help_text='64 bits of what it looks like, from pixels.perceptual_hash.', null=True),
        ),
    ]
