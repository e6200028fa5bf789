"""How many SQL statements a request makes, as PostgreSQL itself writes them down."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.load import Asked, Connection
from benchmarks.place import Place

STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)")
TRANSACTION_CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE)


@contextmanager
def written_down(place: Place) -> Iterator[None]:
    """Have PostgreSQL log every statement of connections that are opened from now on."""
    place.execute(
        "ALTER ROLE ecommerce SET log_statement = 'all'",
        "ALTER ROLE ecommerce SET log_min_messages = 'log'",
    )
    try:
        yield
    finally:
        place.execute("ALTER ROLE ecommerce RESET ALL")


def statements_of(place: Place, connection: Connection, asked: Asked) -> tuple[set[int], list[str]]:
    """Send what is asked; return the statuses and the statements without transaction control."""
    log = place.folder / "postgres.log"
    before = log.stat().st_size
    requests = (asked,) if isinstance(asked, bytes) else asked
    statuses = {connection.ask(request).status for request in requests}
    with log.open() as stream:
        stream.seek(before)
        found = STATEMENT.findall(stream.read())
    return statuses, [text for text in found if not TRANSACTION_CONTROL.match(text)]
