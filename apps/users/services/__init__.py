"""Everything that changes accounts, sessions and the login counters."""
