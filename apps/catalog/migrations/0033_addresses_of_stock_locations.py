"""Where stock locations are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0032_review_photos'),
    ]

    accepts = {'reads catalog_stocklocation': 'A store has a handful of locations.'}

    operations = [
        migrations.AddField(
            model_name='stocklocation',
            name='city',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='country',
            field=models.CharField(blank=True, db_default='', default='', help_text='ISO 3166-1 alpha-2.', max_length=2),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='line1',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='line2',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='postal_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='region',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddConstraint(
            model_name='stocklocation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('city', ''), ('country', ''), ('line1', ''), ('line2', ''), ('postal_code', ''), ('region', '')), models.Q(('country__regex', '^[A-Z]{2}\\Z'), models.Q(('line1', ''), _negated=True), models.Q(('city', ''), _negated=True), models.Q(('postal_code', ''), _negated=True)), _connector='OR'), name='stock_location_address_is_whole', violation_error_message='An address needs line 1, city, postal code and country.'),
        ),
    ]
