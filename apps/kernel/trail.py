"""The trail of a piece of work: which request it began with, through rows into other processes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Trail:
    """A request's id and its W3C trace context (`traceparent`); empty where nobody gave any."""

    request_id: str = ""
    traceparent: str = ""


class Tracing(Protocol):
    """What the kernel asks of a tracer. Without one, what the caller sent is handed on."""

    def traceparent(self) -> str:
        """Return the context under which new work should be traced."""
        ...

    def span(self, name: str, parent: str) -> AbstractContextManager[object]:
        """Measure what is done inside, as a part of the parent's trace."""
        ...


class Untraced:
    """Hands the caller's context on and measures nothing."""

    def traceparent(self) -> str:
        return current.get().traceparent

    def span(self, name: str, parent: str) -> AbstractContextManager[object]:
        return nullcontext()


NOWHERE = Trail()
MARK = "_trail"

current: ContextVar[Trail] = ContextVar("trail", default=NOWHERE)
_step: ContextVar[tuple[str, ExitStack] | None] = ContextVar("step", default=None)
_tracing: Tracing = Untraced()


def trace_with(tracing: Tracing) -> None:
    """Use this tracer from now on, in the whole process."""
    global _tracing
    _tracing = tracing


def request_id() -> str:
    """Return the id of the request that led here, or nothing."""
    return current.get().request_id


def traceparent() -> str:
    """Return the trace context that work begun here belongs to, or nothing."""
    return _tracing.traceparent()


def trail_of(error: BaseException) -> Trail:
    """Return the trail that an exception has left, for whoever logs it outside."""
    trail = getattr(error, MARK, NOWHERE)
    return trail if isinstance(trail, Trail) else NOWHERE


@contextmanager
def following(trail: Trail, name: str) -> Iterator[None]:
    """Do what is inside under this trail, and trace it by this name."""
    token = current.set(trail)
    try:
        with _tracing.span(name, trail.traceparent):
            yield
    except Exception as error:
        if trail_of(error) is NOWHERE:
            with suppress(AttributeError):  # an exception may be frozen
                setattr(error, MARK, trail)
        raise
    finally:
        current.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Do one step of background work; once it has claimed a row, `take_up` says whose it is."""
    with ExitStack() as stack:
        token = _step.set((name, stack))
        try:
            yield
        finally:
            _step.reset(token)


def take_up(trail: Trail) -> None:
    """Follow this trail until the present step ends. Does nothing outside a step."""
    if present := _step.get():
        name, stack = present
        stack.enter_context(following(trail, name))
