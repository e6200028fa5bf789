"""Rows in the database are the work; these messages only wake the workers."""

from ecommerce.env import env
from ecommerce.settings.search import ELASTICSEARCH_URL
from ecommerce.timetable import QUEUES as CELERY_TASK_ROUTES  # noqa: F401 - a setting
from ecommerce.timetable import timetable

CELERY_BROKER_URL = env("CELERY_BROKER_URL", dev="redis://127.0.0.1:6379/1")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 50
CELERY_WORKER_CONSUMER = "ecommerce.monitoring.background:LivingConsumer"
CELERY_BEAT_SCHEDULER = "ecommerce.monitoring.background:LivingScheduler"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_BEAT_SCHEDULE = timetable(with_elasticsearch=bool(ELASTICSEARCH_URL))
