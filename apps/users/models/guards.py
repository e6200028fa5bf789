"""A store without an administrator could give nobody rights any more: the database refuses it."""

# What a trigger does after a row is gone or changed; `was` says whether it made an administrator.
# The lock lets two administrators who leave at the same moment see each other.
ADMINISTRATOR_LEAVES = """
    IF NOT ({was}) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('last_administrator_stays'));
    IF NOT EXISTS (
        SELECT FROM users_user AS person WHERE person.is_active AND (
            person.is_superuser OR EXISTS (
                SELECT FROM users_user_groups AS membership
                JOIN users_role AS role ON role.group_ptr_id = membership.group_id
                WHERE membership.user_id = person.id AND role.code = 'administrator'
            )
        )
    ) THEN
        RAISE EXCEPTION 'last_administrator_stays' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""
