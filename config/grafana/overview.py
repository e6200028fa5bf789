"""E-Commerce Overview: does the shop work, does it sell, is somebody needed?"""

from panel import Panel, stat


def _slowest(share: int) -> str:
    return (
        f"histogram_quantile({share / 100}, sum by (le)"
        ' (rate(http_request_duration_seconds_bucket{job="web"}[5m])))'
    )


PANELS = (
    stat(
        "Availability, 30 days",
        '1 - sum(increase(http_requests_total{job="web",status=~"5.."}[30d]))'
        ' / sum(increase(http_requests_total{job="web"}[30d]))',
        "percentunit",
        red_below=0.999,
        text="The objective is 99.9 %.",
    ),
    stat("Requests a second", 'sum(rate(http_requests_total{job="web"}[5m]))', "reqps"),
    stat(
        "Failing now",
        "slo:http_errors:ratio_rate5m",
        "percentunit",
        red=0.001,
        runbook="error-budget-burns-fast",
    ),
    stat("Orders, 24 h", 'sum(increase(shop_orders_total{status="pending_payment"}[24h]))'),
    stat(
        "Revenue, 24 h",
        'sum(increase(shop_order_value_minor_total{status="paid"}[24h])) / 100',
        "currencyUSD",
    ),
    stat(
        "Alerts", 'count(ALERTS{alertstate="firing",severity=~"page|ticket"}) or vector(0)', red=1
    ),
    Panel(
        "Requests by outcome",
        {
            "{{status}}": 'sum by (status) (label_replace(rate(http_requests_total{job="web"}[5m]),'
            ' "status", "${1}xx", "status", "(.).."))'
        },
        "reqps",
        width=12,
    ),
    Panel(
        "Latency",
        {f"P{share}": _slowest(share) for share in (50, 95, 99)},
        "s",
        width=12,
        red=1,
        runbook="latency-budget-burns-fast",
    ),
    Panel(
        "Error budget used, by window",
        {
            "1 h": "slo:http_errors:ratio_rate1h / 0.001",
            "6 h": "slo:http_errors:ratio_rate6h / 0.001",
            "3 d": "slo:http_errors:ratio_rate3d / 0.001",
        },
        "short",
        red=1,
        text="1 uses up exactly what a month at 99.9 % allows.",
        runbook="error-budget-burns-slowly",
    ),
    Panel(
        "Oldest due work",
        {"{{kind}}": "max by (kind) (work_oldest_due_seconds)"},
        "s",
        red=120,
        runbook="work-overdue",
    ),
    Panel("Processes that answer", {"{{job}}": "count by (job) (up == 1)"}),
)
