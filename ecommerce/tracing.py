"""Traces by OpenTelemetry. Import this only when somebody wants them: it costs a third of a second.

A trace goes on in workers, for rows remember it. What leaves the process is an allow-list, because
libraries note whole addresses and the words of exceptions.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.textmap import CarrierT, Setter, default_setter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from apps.kernel import trail
from ecommerce.logs import TRAIL

# Methods, routes, statuses, hosts, statements: what is the same whoever asks. Never `url.*`.
TOLD = frozenset(
    {
        *("http.method", "http.request.method", "http.route"),
        *("http.status_code", "http.response.status_code"),
        *("net.peer.name", "net.peer.port", "server.address", "server.port"),
        *("db.system", "db.name", "db.statement", "error.type"),
    }
)
COMMENT = re.compile(r"--[^\n]*")
LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
LONGEST_STATEMENT = 2000


def start() -> None:
    """Trace this process, and send the traces to `settings.OTEL_EXPORTER_OTLP_ENDPOINT`."""
    follow_with(OTLPSpanExporter())


def follow_with(exporter: SpanExporter) -> TracerProvider:
    """Trace requests, statements, cache, calls to the provider and background steps.

    Which share is traced depends on the trace's id alone, so web and workers agree, and a caller
    cannot have more of his requests traced by asking for it.
    """
    provider = TracerProvider(
        resource=Resource.create(
            {
                "service.name": f"ecommerce-{settings.PROCESS_ROLE}",
                "service.version": settings.RELEASE,
                "deployment.environment.name": settings.ENVIRONMENT,
            }
        ),
        sampler=TraceIdRatioBased(settings.OTEL_TRACES_SAMPLER_ARG),
    )
    provider.add_span_processor(BatchSpanProcessor(Discreet(exporter)))
    trace.set_tracer_provider(provider)
    set_global_textmap(Incoming())
    DjangoInstrumentor().instrument(
        tracer_provider=provider,
        # Inside of what logs the request, so that a request it stumbles over is logged as well.
        middleware_position=settings.MIDDLEWARE.index("ecommerce.middleware.request_id") + 1,
        response_hook=_remember,
    )
    for instrumentor in (PsycopgInstrumentor(), RedisInstrumentor(), RequestsInstrumentor()):
        instrumentor.instrument(tracer_provider=provider)
    trail.trace_with(OpenTelemetry(provider))
    return provider


def _remember(span: trace.Span, request: HttpRequest, response: HttpResponse) -> None:
    """Have the request's line, which is written when the span has ended, name it."""
    traced = replace(request.META[TRAIL], traceparent=_w3c(span.get_span_context()))
    request.META[TRAIL] = traced


def _w3c(span: trace.SpanContext) -> str:
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


class Incoming(TraceContextTextMapPropagator):
    """Takes a caller's trace context; hands none on: it does not concern the payment provider."""

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        return


class OpenTelemetry:
    """What the kernel asks of a tracer."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("ecommerce")

    def traceparent(self) -> str:
        """Return the present span in W3C form, or else what the caller sent."""
        present = trace.get_current_span().get_span_context()
        if not present.is_valid:
            return trail.current.get().traceparent
        return _w3c(present)

    def span(self, name: str, parent: str) -> AbstractContextManager[object]:
        """Measure a step of background work under the trace of the request it began with."""
        return self._tracer.start_as_current_span(
            name,
            context=Incoming().extract({"traceparent": parent}, context=Context()),
            kind=trace.SpanKind.CONSUMER,
        )


class Discreet(SpanExporter):
    """Hands on what may be told: known attributes, statements without values, no messages."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def without_values(statement: str) -> str:
    """Return SQL with a question mark for every text and number, shortened."""
    return LITERAL.sub("?", COMMENT.sub("", statement)).strip()[:LONGEST_STATEMENT]


def discreet(span: ReadableSpan) -> ReadableSpan:
    """Return the span with nothing in it but what `TOLD` allows."""
    told = {name: value for name, value in (span.attributes or {}).items() if name in TOLD}
    if "db.statement" in told:
        told["db.statement"] = without_values(str(told["db.statement"]))
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=told,
        events=[
            Event(event.name, {"exception.type": kind}, event.timestamp)
            for event in span.events
            if (kind := (event.attributes or {}).get("exception.type"))
        ],
        kind=span.kind,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
