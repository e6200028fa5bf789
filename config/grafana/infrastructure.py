"""Infrastructure Metrics: database, Redis, pods and nodes."""

from panel import Panel

STORE = 'namespace=~"$namespace",container="ecommerce"'

PANELS = (
    Panel(
        "Database connections",
        {
            "{{state}}": "sum by (state) (database_connections)",
            "allowed": "max(database_connections_max)",
        },
        runbook="database-connections-high",
    ),
    Panel(
        "Statements a second",
        {"{{job}}": "sum by (job) (rate(database_statement_duration_seconds_count[5m]))"},
        "ops",
    ),
    Panel(
        "Statement duration, P95",
        {
            "{{job}}": "histogram_quantile(0.95,"
            " sum by (job, le) (rate(database_statement_duration_seconds_bucket[5m])))"
        },
        "s",
        red=0.5,
    ),
    Panel(
        "Longest transaction",
        {"": "max(database_longest_transaction_seconds)"},
        "s",
        red=300,
        runbook="long-transaction",
    ),
    Panel(
        "New and refused connections",
        {
            "opened": "sum(rate(database_connections_opened_total[5m]))",
            "refused": "sum(rate(database_connection_errors_total[5m]))",
        },
        "ops",
    ),
    Panel(
        "Rollbacks and deadlocks",
        {
            "rollbacks": "sum(rate(database_rollbacks_total[5m]))",
            "deadlocks": "sum(rate(database_deadlocks_total[5m]))",
        },
        "ops",
    ),
    Panel("Database size", {"": "max(database_size_bytes)"}, "bytes"),
    Panel(
        "Log kept for the archive and replicas",
        {"": "max(database_slot_retained_bytes)"},
        "bytes",
        red=5 * 1024**3,
        runbook="archive-lags",
    ),
    Panel(
        "Written by large sorts, failed archivings",
        {
            "bytes a second": "sum(rate(database_temp_bytes_total[5m]))",
            "failed archivings": "sum(increase(database_archive_failures_total[15m]))",
        },
    ),
    Panel(
        "Cache hit rate",
        {
            "": 'sum(rate(redis_lookups_total{server="cache",result="hit"}[5m]))'
            ' / sum(rate(redis_lookups_total{server="cache"}[5m]))'
        },
        "percentunit",
        red_below=0.5,
        runbook="cache-hit-rate-low",
    ),
    Panel(
        "Cache, as the web processes see it",
        {
            "reads": "sum(rate(django_cache_get_total[5m]))",
            "hits": "sum(rate(django_cache_get_hits_total[5m]))",
            "failed": "sum(rate(django_cache_get_fail_total[5m]))",
        },
        runbook="cache-down",
    ),
    Panel(
        "Redis memory",
        {
            "{{server}}": "max by (server) (redis_memory_bytes)",
            "{{server}}, allowed": "max by (server) (redis_memory_max_bytes) > 0",
        },
        "bytes",
        runbook="redis-memory-high",
    ),
    Panel(
        "Redis",
        {
            "{{server}} answers": "max by (server) (redis_up)",
            "{{server}} clients": "max by (server) (redis_clients)",
            "{{server}} evicted a second": "sum by (server) (rate(redis_evicted_keys_total[5m]))",
        },
    ),
    Panel(
        "CPU of the store's pods",
        {"{{pod}}": f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{STORE}}}[5m]))"},
        text="From cadvisor; this and what follows needs a cluster.",
    ),
    Panel(
        "Memory of the store's pods",
        {"{{pod}}": f"sum by (pod) (container_memory_working_set_bytes{{{STORE}}})"},
        "bytes",
        runbook="container-memory-high",
    ),
    Panel(
        "CPU throttled",
        {
            "{{pod}}": "sum by (pod)"
            f" (rate(container_cpu_cfs_throttled_periods_total{{{STORE}}}[5m]))"
            f" / sum by (pod) (rate(container_cpu_cfs_periods_total{{{STORE}}}[5m]))"
        },
        "percentunit",
        red=0.25,
    ),
    Panel(
        "Pods and the autoscaler's limit",
        {
            "{{horizontalpodautoscaler}}": "max by (horizontalpodautoscaler)"
            ' (kube_horizontalpodautoscaler_status_current_replicas{namespace=~"$namespace"})',
            "{{horizontalpodautoscaler}}, at most": "max by (horizontalpodautoscaler)"
            ' (kube_horizontalpodautoscaler_spec_max_replicas{namespace=~"$namespace"})',
        },
        runbook="autoscaler-at-maximum",
    ),
    Panel(
        "Restarts",
        {
            "{{pod}}": "sum by (pod)"
            ' (increase(kube_pod_container_status_restarts_total{namespace=~"$namespace"}[1h])) > 0'
        },
        red=3,
        runbook="pod-crashes",
    ),
    Panel(
        "Disks of the nodes, free",
        {
            "{{instance}}": 'node_filesystem_avail_bytes{mountpoint="/"}'
            ' / node_filesystem_size_bytes{mountpoint="/"}'
        },
        "percentunit",
        red_below=0.1,
        runbook="node-disk-filling",
    ),
)
