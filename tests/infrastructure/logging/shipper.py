"""What Fluent Bit's configuration may say, and what ours has to.

No Fluent Bit can be had here. The options are those of the manual for the version that runs, by
section and plugin; so a misspelt option, which Fluent Bit would refuse to start with, is found.
"""

import re
from collections.abc import Iterator

COMMON = {"name", "alias", "match", "match_regex", "log_level"}
OPTIONS = {
    "service": {
        *("flush", "grace", "log_level", "http_server", "http_listen", "http_port"),
        *("health_check", "hc_errors_count", "hc_retry_failure_count", "hc_period", "hot_reload"),
        *("scheduler.base", "scheduler.cap", "storage.path", "storage.sync", "storage.checksum"),
        *("storage.max_chunks_up", "storage.backlog.mem_limit", "storage.metrics"),
        *("storage.delete_irrecoverable_chunks", "storage.trim_files", "storage.keep.rejected"),
    },
    "tail": {
        *("tag", "path", "exclude_path", "parser", "multiline.parser", "read_from_head"),
        *("refresh_interval", "rotate_wait", "db", "db.sync", "db.locking", "db.journal_mode"),
        *("buffer_chunk_size", "buffer_max_size", "skip_long_lines", "skip_empty_lines"),
        *("mem_buf_limit", "storage.type", "storage.pause_on_chunks_overlimit", "ignore_older"),
    },
    "kubernetes": {
        *("kube_url", "kube_ca_file", "kube_token_file", "kube_tag_prefix", "merge_log"),
        *("merge_log_key", "merge_log_trim", "keep_log", "k8s-logging.parser", "labels"),
        *("k8s-logging.exclude", "annotations", "buffer_size", "use_kubelet", "kube_token_ttl"),
    },
    "grep": {"regex", "exclude", "logical_op"},
    "lua": {"script", "call", "code", "type_int_key", "time_as_table", "protected_mode"},
    "es": {
        *("host", "port", "http_user", "http_passwd", "path", "index", "pipeline", "compress"),
        *("logstash_format", "logstash_prefix", "logstash_prefix_key", "logstash_dateformat"),
        *("time_key", "time_key_format", "time_key_nanos", "include_tag_key", "generate_id"),
        *("suppress_type_name", "write_operation", "replace_dots", "trace_error", "trace_output"),
        *("buffer_size", "workers", "retry_limit", "storage.total_limit_size", "tls"),
        *("tls.verify", "tls.verify_hostname", "tls.ca_file", "net.keepalive_idle_timeout"),
    },
}
PLUGINS = {"inputs": {"tail"}, "filters": {"kubernetes", "grep", "lua"}, "outputs": {"es"}}
VARIABLE = re.compile(r"\$\{(\w+)\}")


def faults_in(configuration: dict) -> list[str]:
    """Return everything that is wrong, a sentence each."""
    return [
        *_unknown(configuration),
        *_unmatched(configuration),
        *_unsafe(configuration),
    ]


def plugins(configuration: dict, kind: str) -> list[dict]:
    return list(configuration.get("pipeline", {}).get(kind, []))


def variables_of(configuration: dict) -> set[str]:
    """Return the variables of the environment that it uses."""
    return set(VARIABLE.findall(str(configuration)))


def _unknown(configuration: dict) -> Iterator[str]:
    for section in set(configuration) - {"service", "pipeline"}:
        yield f"{section} is no section"
    for kind in set(configuration.get("pipeline", {})) - set(PLUGINS):
        yield f"pipeline has no {kind}"
    for option in set(configuration.get("service", {})) - OPTIONS["service"]:
        yield f"service has no option {option}"
    for kind, known in PLUGINS.items():
        for plugin in plugins(configuration, kind):
            name = plugin.get("name", "")
            if name not in known:
                yield f"{kind} has no {name}"
                continue
            for option in set(plugin) - OPTIONS[name] - COMMON:
                yield f"{name} has no option {option}"


def _unmatched(configuration: dict) -> Iterator[str]:
    tags = {plugin.get("tag", "") for plugin in plugins(configuration, "inputs")}
    for kind in ("filters", "outputs"):
        for plugin in plugins(configuration, kind):
            if plugin.get("match") not in tags:
                yield f"{plugin.get('name')} matches {plugin.get('match')}, which nothing is tagged"
    order = [plugin.get("name") for plugin in plugins(configuration, "filters")]
    if order != ["kubernetes", "grep", "lua"]:
        yield f"filters run in the order {order}"


def _unsafe(configuration: dict) -> Iterator[str]:
    service = configuration.get("service", {})
    for plugin in plugins(configuration, "inputs"):
        if plugin.get("storage.type") != "filesystem" or not service.get("storage.path"):
            yield "what is read is not kept on disk"
        if not str(plugin.get("db", "")).startswith("/var/lib/fluent-bit/"):
            yield "how far a file was read is forgotten with the pod"
    for plugin in plugins(configuration, "outputs"):
        if not (plugin.get("tls") is True and plugin.get("tls.verify") is True):
            yield "Elasticsearch is not asked for its certificate"
        for secret in ("http_user", "http_passwd"):
            if not VARIABLE.fullmatch(str(plugin.get(secret, ""))):
                yield f"{secret} does not come from the environment"
        if not plugin.get("storage.total_limit_size"):
            yield "the buffer on disk has no limit"
        if plugin.get("retry_limit") in (None, "no_limits", "no_retries", False):
            yield "tries are not limited"
        if plugin.get("write_operation") != "create" or plugin.get("generate_id") is not True:
            yield "a chunk that is sent again is stored twice"
