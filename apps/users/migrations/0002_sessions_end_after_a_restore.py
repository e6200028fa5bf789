"""Sessions may end because the database was restored: a label, no SQL."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0001_accounts_and_sessions'),
    ]

    operations = [
        migrations.AlterField(
            model_name='session',
            name='revoked_reason',
            field=models.CharField(blank=True, choices=[('logged_out', 'logged out'), ('token_reused', 'a used refresh token came again'), ('revoked_by_staff', 'revoked by staff'), ('password_changed', 'the password was changed'), ('database_restored', 'the database was restored')], max_length=20),
        ),
    ]
