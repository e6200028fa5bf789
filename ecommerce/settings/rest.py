"""The REST API: nobody may do anything unless a view says so."""

from ecommerce.env import env_int, env_list

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.users.authentication.ApiKeyAuthentication",
        "apps.users.authentication.AccessTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.kernel.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.kernel.rest.FastJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["ecommerce.rate_limits.RateLimit"],
    "EXCEPTION_HANDLER": "ecommerce.problems.problem_response",
    "DEFAULT_METADATA_CLASS": None,  # OpenAPI says what OPTIONS would
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,
}
ANSWERS_KEPT_SECONDS = env_int("ANSWERS_KEPT_SECONDS", default=2)
CORS_ALLOWED_ORIGINS = env_list("CORS_ALLOWED_ORIGINS", default="")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-cart-token",
    "x-order-token",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "etag",
    "idempotent-replayed",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
    "x-search-backend",
    "x-search-degraded",
]
