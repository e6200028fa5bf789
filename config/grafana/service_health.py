"""Service Health: requests, tasks and open work, one by one."""

from panel import Panel

ROUTE = 'route=~"$route"'

PANELS = (
    Panel(
        "Requests by route",
        {
            "{{route}}": "topk(10, sum by (route)"
            f' (rate(http_requests_total{{job="web",{ROUTE}}}[5m])))'
        },
        "reqps",
        width=12,
    ),
    Panel(
        "P95 by route",
        {
            "{{route}}": "topk(10, histogram_quantile(0.95, sum by (route, le) ("
            f'rate(http_request_duration_seconds_bucket{{job="web",{ROUTE}}}[5m]))))'
        },
        "s",
        width=12,
        red=0.5,
    ),
    Panel(
        "Failures and refusals by route",
        {
            "{{route}} {{status}}": "sum by (route, status) (rate(http_requests_total"
            f'{{job="web",{ROUTE},status=~"4..|5.."}}[5m])) > 0'
        },
        "reqps",
        width=12,
    ),
    Panel(
        "Busy threads",
        {
            "busy": 'sum(http_requests_in_progress{job="web"})',
            "all": 'sum(http_threads{job="web"})',
        },
        width=12,
        runbook="web-saturated",
    ),
    Panel("Work that is due", {"{{kind}}": "sum by (kind) (work_due)"}),
    Panel("Work that is open", {"{{kind}}": "sum by (kind) (work_open)"}),
    Panel(
        "Oldest open, by kind",
        {"{{kind}}": "max by (kind) (work_oldest_open_seconds)"},
        "s",
        red=3600,
    ),
    Panel("Open payments", {"{{status}}": "sum by (status) (payments_open)"}),
    Panel(
        "Oldest open payment",
        {"{{status}}": "max by (status) (payments_oldest_open_seconds)"},
        "s",
        red=600,
        runbook="payment-unsettled",
    ),
    Panel(
        "Outbox",
        {
            "open events": "sum(outbox_open_events)",
            "seconds of the oldest": "max(outbox_oldest_open_seconds)",
            "most tries": "max(outbox_most_tries)",
        },
        red=300,
        runbook="outbox-lagging",
    ),
    Panel(
        "Search index: seconds behind the database",
        {"": 'max(work_oldest_open_seconds{kind="indexing"})'},
        "s",
        red=120,
        runbook="search-index-lagging",
    ),
    Panel(
        "Searches by who answered",
        {
            "{{backend}}, degraded {{degraded}}": "sum by (backend, degraded)"
            " (rate(search_answers_total[5m]))"
        },
        "ops",
        runbook="search-degraded",
    ),
    Panel(
        "Tasks by outcome",
        {"{{task}} {{outcome}}": "sum by (task, outcome) (rate(celery_tasks_total[5m]))"},
        "ops",
    ),
    Panel(
        "Task duration, P95",
        {
            "{{task}}": "histogram_quantile(0.95,"
            " sum by (task, le) (rate(celery_task_duration_seconds_bucket[5m])))"
        },
        "s",
    ),
    Panel(
        "Wake-up age, P95",
        {
            "{{task}}": "histogram_quantile(0.95,"
            " sum by (task, le) (rate(celery_task_wait_seconds_bucket[5m])))"
        },
        "s",
        red=5,
    ),
    Panel("Tasks at work", {"{{job}}": "sum by (job) (celery_tasks_active)"}),
    Panel(
        "Messages from beat",
        {"{{task}}": "sum by (task) (rate(celery_beat_wake_ups_total[5m]))"},
        "ops",
    ),
    Panel(
        "Queues",
        {"{{queue}}": "sum by (queue) (celery_queue_messages)"},
        red=1000,
        runbook="queue-backlog",
    ),
    Panel(
        "Invariants broken",
        {"{{rule}}": "max by (rule) (invariant_violations)"},
        red=1,
        runbook="invariant-broken",
    ),
    Panel(
        "Loops: seconds since the last turn",
        {"{{job}}": "max by (job) (time() - loop_last_turn_timestamp_seconds)"},
        "s",
        red=60,
        runbook="loop-stalled",
    ),
    Panel(
        "Exporter: age of its figures",
        {"{{reading}}": "time() - max by (reading) (exporter_last_success_timestamp_seconds)"},
        "s",
        red=900,
        runbook="figures-stale",
    ),
    Panel(
        "Exporter: what a reading takes",
        {"{{reading}}": "max by (reading) (exporter_reading_duration_seconds)"},
        "s",
        red=5,
    ),
    Panel(
        "Exporter: readings without an answer",
        {"{{reading}}": "sum by (reading) (increase(exporter_reading_failures_total[15m]))"},
        red=1,
    ),
)
