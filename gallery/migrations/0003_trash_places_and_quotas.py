import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0002_perceptual_hash'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quota_mb', models.PositiveIntegerField(blank=True, help_text='Empty: as the setting QUOTA_MB says.', null=True, verbose_name='MB of originals')),
                ('quota_pictures', models.PositiveIntegerField(blank=True, help_text='Empty: as the setting QUOTA_PICTURES says.', null=True, verbose_name='pictures')),
            ],
        ),
        migrations.AddField(
            model_name='album',
            name='shows_location',
            field=models.BooleanField(default=False, help_text='On the page and in the files they download.', verbose_name='members see where pictures were taken'),
        ),
        migrations.AddField(
            model_name='image',
            name='latitude',
            field=models.FloatField(blank=True, help_text='Degrees north, from the camera, where it says.', null=True),
        ),
        migrations.AddField(
            model_name='image',
            name='longitude',
            field=models.FloatField(blank=True, help_text='Degrees east.', null=True),
        ),
        migrations.AddField(
            model_name='image',
            name='trashed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='Since when it is in the trash: seen by its owner alone, there.', null=True),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(condition=models.Q(('trashed_at__isnull', False)), fields=['trashed_at'], name='image_in_trash'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('latitude__isnull', True), ('longitude__isnull', True)), models.Q(('latitude__gte', -90), ('latitude__lte', 90), ('longitude__gte', -180), ('longitude__lte', 180)), _connector='OR'), name='image_location_on_earth'),
        ),
        migrations.AddField(
            model_name='account',
            name='user',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='account', to=settings.AUTH_USER_MODEL),
        ),
    ]
