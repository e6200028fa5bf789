"""What must not be told: secrets and personal data, taken out of text; exceptions without words."""

import re
import traceback
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured

SECRETS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
URLS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "EMAIL_URL")
SHORTEST_SECRET = 8  # a development password such as "store" is also a word

PATTERNS = re.compile(
    r"""
    (?P<key> -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z) )
    | (?P<credentials> (?<=://) [^\s/@]*:[^\s/@]*@ )
    | (?P<authorization> \b(?:Bearer|Basic|Api-Key)\ +[^\s,;"'\\]{6,} )
    | (?P<jwt> \beyJ[\w-]+\.[\w-]+\.[\w-]* )
    | (?P<secret> \b(?:sk|rk|whsec|eck)_\w{8,} | \bpi_\w+_secret_\w+ )
    | (?P<named> \b[\w-]{0,30}
        (?:password|passwd|secret|token|api_?key|authorization|cookie|csrf|sessionid)
        [\w-]{0,30}["']?\s{0,5}[:=]\s{0,5}
        (?P<value> "[^"]*"? | '[^']*'? | (?:Bearer|Basic|Api-Key)\s+[^\s"',;&}]+ | [^\s"',;&}]+ ) )
    | (?P<email> [^\s"'<>()\[\]{}:;,=/?&@]{1,64} (?:@|%40)
        [^\s"'<>()\[\]{}:;,=/?&@]{1,255}\.[^\W\d_]{2,} )
    | (?P<card> (?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-]) )
    | (?P<phone> (?<!\w)\+\d(?:[ ().-]{0,2}\d){7,14}(?!\w) )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# A text without any of these signs cannot match above; most lines have none.
SIGNS = re.compile(
    r"[@+]|%40|://|eyJ|\d[ -]?\d{3}|(?:sk|rk|whsec|pi|eck)_"
    r"|private|bearer|basic|token|passw|secret|key|auth|cookie|csrf|sess",
    re.IGNORECASE,
)
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = re.compile(r".*/(?:site-packages|lib/python3\.\d+)/")
MOST_FRAMES = 25
LONGEST_TEXT = 8192
LONGEST_REMEMBERED = 100  # messages, routes and methods are few
HEXADECIMAL = re.compile(r"[0-9a-f]{32}")  # 16 might be a card
CUT_WORD = re.compile(r"\S{0,4096}\Z")


class Redaction:
    """Takes out of a text the process's own secrets, and what looks personal or secret.

    It is the last line of defence, not the first: names and addresses look like any other word.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        known = sorted(_secrets_in(environment), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._remembered = lru_cache(maxsize=1024)(self._redacted)

    def __call__(self, text: str) -> str:
        if len(text) > LONGEST_REMEMBERED:
            return self._redacted(text)
        # Ids are made of nothing else, are in every line, and never come again.
        return text if HEXADECIMAL.fullmatch(text) else self._remembered(text)

    def _redacted(self, text: str) -> str:
        if len(text) > LONGEST_TEXT:  # without the word that the cut goes through: half a secret
            text = CUT_WORD.sub("…", text[:LONGEST_TEXT])
        if self._known:
            text = self._known.sub("[secret]", text)
        return PATTERNS.sub(_mark, text) if SIGNS.search(text) else text


def account_of(error: BaseException) -> str:
    """Return where an exception, and what it came from, was raised; none of the data it quotes."""
    parts = []
    for each in reversed(list(_chain(error))):
        walked = traceback.walk_tb(each.__traceback__)
        frames = traceback.StackSummary.extract(walked, lookup_lines=False)
        places = [f'  File "{_place(f.filename)}", line {f.lineno}, in {f.name}' for f in frames]
        if len(places) > MOST_FRAMES:
            places[5 : 5 - MOST_FRAMES] = ["  …"]
        parts.append("\n".join(["Traceback (most recent call last):", *places, words_of(each)]))
    return "\n\n".join(parts)


def words_of(error: BaseException) -> str:
    """Return the exception's class, with its text only where that cannot quote anybody's data.

    What failed in the database is told by its SQLSTATE and the name of the constraint.
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    match error:
        case psycopg.Error() if error.sqlstate:
            names = filter(None, [error.diag.table_name, error.diag.constraint_name])
            return " ".join([f"{kind}: {error.sqlstate}", *names])
        case psycopg.OperationalError():  # no server was reached; libpq names host and port
            return f"{kind}: {error}"
        case ImproperlyConfigured() | ImportError() | AttributeError() | NameError():
            return f"{kind}: {error}"
        case OSError() if error.strerror:
            return f"{kind}: {error.strerror}"
        case _:
            return kind


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen:
        seen.add(id(present))
        yield present
        hidden = present.__suppress_context__
        present = present.__cause__ or (None if hidden else present.__context__)


def _place(file: str) -> str:
    return PACKAGES.sub("", file.removeprefix(f"{ROOT}/"))


def _mark(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "named":
        return found[0][: found.start("value") - found.start()] + "[hidden]"
    if kind == "card" and not _passes_luhn(found[0]):
        return found[0]
    return f"[{kind}]"


def _passes_luhn(text: str) -> bool:
    """Tell whether the number has the check digit that all card numbers have."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    for name in SECRETS:
        for value in environment.get(name, "").split(","):
            if len(value.strip()) >= SHORTEST_SECRET:
                yield value.strip()
    for name in URLS:
        try:
            password = urlsplit(environment.get(name, "")).password or ""
        except ValueError:
            continue
        if len(password) >= SHORTEST_SECRET:
            yield from {password, unquote(password)}
    for row in environment.get("JWT_SIGNING_KEY", "").replace("\\n", "\n").splitlines():
        if len(row) >= SHORTEST_SECRET and "-----" not in row:
            yield row
