from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='perceptual_hash',
            field=models.BigIntegerField(editable=False, help_text='64 bits of what it looks like, from pixels.perceptual_hash.', null=True),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(condition=models.Q(('perceptual_hash__isnull', True), ('status', 'ready')), fields=['id'], name='image_to_hash'),
        ),
    ]
