"""Holding an idempotency key and reading what was answered before, in one statement."""

from django.db import migrations

CLAIM = """
CREATE FUNCTION kernel_claim_key(
    lock bigint, who text, what text, given text,
    OUT held boolean, OUT earlier kernel_idempotencyrecord
) LANGUAGE plpgsql AS $$
BEGIN
    held := pg_try_advisory_xact_lock(lock);
    IF held THEN
        -- A statement of its own: it sees what was answered before the lock was had.
        SELECT * INTO earlier FROM kernel_idempotencyrecord AS r
        WHERE r.principal = who AND r.route = what AND r.key = given;
    END IF;
END
$$
"""
GONE = "DROP FUNCTION kernel_claim_key(bigint, text, text, text)"


class Migration(migrations.Migration):
    dependencies = [("kernel", "0005_mails")]

    operations = [migrations.RunSQL(CLAIM, GONE)]
