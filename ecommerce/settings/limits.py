"""How much one client may send, and how often."""

from ecommerce.env import env_counts, env_int

API_BODY_LIMIT_BYTES = 1024 * 1024
API_UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024 + 64 * 1024  # a picture, and the form around it
IMPORT_LIMIT_BYTES = 100 * 1024 * 1024
API_BODY_LIMITS = {"/api/v1/imports": IMPORT_LIMIT_BYTES}  # else API_BODY_LIMIT_BYTES

LOGIN_ATTEMPTS_PER_ACCOUNT = env_int("LOGIN_ATTEMPTS_PER_ACCOUNT", default=10)
LOGIN_ATTEMPTS_PER_ADDRESS = env_int("LOGIN_ATTEMPTS_PER_ADDRESS", default=100)
LOGIN_ATTEMPTS_PER_MINUTE = env_int("LOGIN_ATTEMPTS_PER_MINUTE", default=600)
CODE_GUESSES_PER_CLIENT = env_int("CODE_GUESSES_PER_CLIENT", default=20)
HELD_UNITS_PER_BUYER = env_int("HELD_UNITS_PER_BUYER", default=1_000)  # of unpaid orders
HELD_UNITS_PER_NETWORK = env_int("HELD_UNITS_PER_NETWORK", default=5_000)
MAILS_PER_ADDRESS = env_int("MAILS_PER_ADDRESS", default=5)
MAILS_PER_NETWORK = env_int("MAILS_PER_NETWORK", default=100)

# Requests a minute (contributions: a day) of one person, one API key or, without either, a network.
RATE_LIMITS = env_counts(
    "RATE_LIMITS",
    default={
        "anonymous-reads": 3000,
        "anonymous-writes": 600,
        "reads": 600,
        "writes": 300,
        "payments": 60,
        "contributions": 50,
        "api-keys": 6000,
        "webhooks": 6000,
    },
)
