"""One engine in the place of another: who asks gets an answer, whatever the first one does."""

from collections.abc import Callable
from dataclasses import replace
from threading import BoundedSemaphore
from typing import TypeVar

from apps.catalog.search.breaker import Breaker
from apps.catalog.search.engine import Engine, Hits, SearchQuery, Suggestions

Answer = TypeVar("Answer", Hits, Suggestions)


class Fallback:
    """An engine that asks `first` and, when that fails, `second` in the same breath.

    Answers of the second say that they are degraded. At most `places` of them are looked for at a
    time; the others wait, so that an outage of the first is not a flood for the second.
    """

    def __init__(
        self,
        first: Engine,
        second: Engine,
        *,
        failures: tuple[type[Exception], ...],
        breaker: Breaker,
        places: int,
    ) -> None:
        self._first = first
        self._second = second
        self._failures = failures
        self._breaker = breaker
        self._places = BoundedSemaphore(places)

    def search(self, query: SearchQuery) -> Hits:
        """Return the page of published products that fit best."""
        return self._ask(lambda engine: engine.search(query))

    def suggest(self, text: str, *, limit: int) -> Suggestions:
        """Return up to `limit` of each kind that continue the text."""
        return self._ask(lambda engine: engine.suggest(text, limit=limit))

    def _ask(self, ask: Callable[[Engine], Answer]) -> Answer:
        if self._breaker.lets_through():
            try:
                answer = ask(self._first)
            except self._failures as error:
                self._breaker.failed(error)
            else:
                self._breaker.succeeded()
                return answer
        with self._places:
            return replace(ask(self._second), degraded=True)
