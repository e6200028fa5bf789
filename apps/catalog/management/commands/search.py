"""The search from the operator's side: make its index anew, prove it, judge what it finds."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.catalog.management.judged.making import make
from apps.catalog.management.judged.queries import evaluate
from apps.catalog.search.engine import BACKENDS, Backend
from apps.catalog.search.engines import engine_called
from apps.catalog.services import search_index


class Command(BaseCommand):
    help = "Make the search index anew (reindex) or compare it with the database (verify)."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser(
            "reindex",
            help="Index all products anew, in PostgreSQL and in the cluster, beside the searching.",
        )
        verify = commands.add_parser(
            "verify", help="Compare the index with the database; 1 when they differ."
        )
        verify.add_argument(
            "--repair", action="store_true", help="Have what differs indexed again."
        )
        verify.add_argument(
            "--patience",
            type=float,
            default=15,
            help="Seconds that a change may take to reach the index.",
        )

        evaluate = commands.add_parser(
            "evaluate", help="Judge what the engines find in the real catalog: nDCG@10 and MRR."
        )
        evaluate.add_argument("--engine", choices=BACKENDS, default="postgresql")
        commands.add_parser("judge", help="Make the judged queries anew from the real catalog.")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["command"]:
            case "evaluate":
                self._evaluate(options["engine"])
            case "judge":
                self.stdout.write("{} queries, {} products".format(*make()))
            case "reindex":
                self._reindex()
            case "verify":
                self._verify(repair=options["repair"], patience=options["patience"])

    def _reindex(self) -> None:
        self.stdout.write(f"PostgreSQL's search knows {search_index.rebuild():,} products.")
        if not settings.ELASTICSEARCH_URL:
            return
        from apps.catalog.search import index
        from apps.catalog.services.indexing.locks import ReindexIsRunning
        from apps.catalog.services.indexing.rebuilding import DocumentsRefused, reindex

        try:
            written = reindex(progress=self._tell)
        except (ReindexIsRunning, DocumentsRefused, *index.UNAVAILABLE) as error:
            raise CommandError(f"The index was not made: {error}") from error
        self.stdout.write(f"{written} products are in the new index, which is asked now.")

    def _verify(self, *, repair: bool, patience: float) -> None:
        _require_cluster()
        from apps.catalog.search import index
        from apps.catalog.services.indexing import comparing

        try:
            found = comparing.differences(patience=patience)
            if found and repair:
                comparing.repair(found)
        except index.UNAVAILABLE as error:
            raise CommandError(f"The search cluster does not answer: {error}") from error
        for kind in ("missing", "surplus", "stale"):
            for product_id in sorted(getattr(found, kind)):
                self.stderr.write(f"{kind} {product_id}")
        if not found:
            self.stdout.write("The index is what the database says.")
        elif repair:
            self.stdout.write(f"{found}: they will be indexed again.")
        else:
            raise CommandError(f"The index differs from the database: {found}.")

    def _evaluate(self, name: Backend) -> None:
        if name == "elasticsearch":
            _require_cluster()
        scores = evaluate(engine_called(name))
        if not scores:
            raise CommandError("None of what is judged is here: `make load-complete-journey`.")
        self.stdout.write(f"{'kind':<12} {'queries':>7} {'nDCG@10':>8} {'MRR':>6}")
        for kind, (count, gain, rank) in scores.items():
            self.stdout.write(f"{kind:<12} {count:>7} {gain:>8.3f} {rank:>6.3f}")

    def _tell(self, written: int) -> None:
        self.stdout.write(f"{written} products", ending="\r")


def _require_cluster() -> None:
    """Raises CommandError where PostgreSQL alone answers searches."""
    if not settings.ELASTICSEARCH_URL:
        raise CommandError("There is no search cluster: set ELASTICSEARCH_URL.")
