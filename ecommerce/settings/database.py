"""PostgreSQL, always: persistent connections, every wait bounded."""

import dj_database_url

from ecommerce.env import env, env_int

DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", dev="postgres://postgres@127.0.0.1:5432/ecommerce"),
        engine="ecommerce.postgresql",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "connect_timeout": 2,
    "application_name": env("DATABASE_APPLICATION_NAME", default="ecommerce"),
    "options": (
        f"-c statement_timeout={env_int('DATABASE_STATEMENT_TIMEOUT_MS', default=30_000)}"
        f" -c lock_timeout={env_int('DATABASE_LOCK_TIMEOUT_MS', default=5_000)}"
        " -c idle_in_transaction_session_timeout=30000"
        # What is prepared is planned once, not as often as its values seem to ask for.
        " -c plan_cache_mode=force_generic_plan"
    ),
}
