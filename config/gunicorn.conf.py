"""gunicorn: two processes of four threads, bounded waits, metrics of all processes together."""

import gc
import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "2000")
os.environ.setdefault("DATABASE_LOCK_TIMEOUT_MS", "2000")
os.environ.setdefault("DATABASE_APPLICATION_NAME", "ecommerce-web")

if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    # Before the application is loaded; what an earlier run left would be counted for ever.
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir(parents=True)

bind = os.environ.get("BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
preload_app = True  # one start for all processes, and memory they share
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 30
graceful_timeout = 25
# Longer than the load balancer keeps a connection (60 s): it must never send into a closing one.
keepalive = 75
max_requests = 20_000
max_requests_jitter = 2_000
# Heartbeat files in memory: a slow disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own names there
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
limit_request_line = 8190
limit_request_field_size = 8190
control_socket_disable = True
accesslog = None
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ecommerce.logs.JSONLines"}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {"gunicorn.error": {"handlers": ["stdout"], "propagate": False, "level": "INFO"}},
}


def when_ready(server: Any) -> None:
    """Load for all processes what each would load in its first request: a third of a second.

    What is loaded is there for good: no process looks through it for garbage, in the middle of a
    request, or writes to the memory that all share.
    """
    import_module("ecommerce.request_windows")
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Tell how many requests this process can work on at once."""
    from ecommerce.monitoring.requests import THREADS

    THREADS.set(worker.cfg.threads)


def child_exit(server: Any, worker: Any) -> None:
    """Fold a dead process's metrics into the files that are counted together."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
