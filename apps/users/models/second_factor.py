"""What somebody has, beside the password they know."""

from django.db import models
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

from apps.users.models.person import User

MOST_TRIES = 5


class SecondFactor(models.Model):
    """The secret that a person's authenticator app makes codes of (TOTP, RFC 6238)."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor"
    )
    secret = models.BinaryField(help_text="Encrypted under SECRET_KEY.")
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, help_text="Counts from the first right code.")
    last_step = models.BigIntegerField(db_default=0, help_text="Of the last code that was used.")
    wrong_codes = models.PositiveSmallIntegerField(
        db_default=0, help_text="Since the last right one. At 100 only a recovery code helps."
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """The SHA-256 of a code that is good once, for whoever has lost the app."""

    hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(Exact(Length("hash"), 32)), name="recovery_code_is_a_sha256"
            )
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()[:8]


class LoginChallenge(models.Model):
    """The SHA-256 of what a right password gives whoever still has to show a second factor."""

    hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_challenges")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(db_default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(Exact(Length("hash"), 32)), name="login_challenge_is_a_sha256"
            ),
            models.CheckConstraint(
                condition=models.Q(tries__lte=MOST_TRIES),
                name="login_challenge_is_tried_five_times",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()[:8]
