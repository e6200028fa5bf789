"""`manage.py ratings verify`: are the ratings of products those of their reviews?"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.catalog.services.ratings import repair_rating, wrong_ratings


class Command(BaseCommand):
    """Triggers keep the ratings; this proves it, and mends what was changed past them."""

    help = "Compare the ratings of products with their approved reviews."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="name each product whose rating is wrong")
        verify.add_argument("--repair", action="store_true", help="work it out again")

    def handle(self, *args: object, repair: bool, **options: object) -> None:
        wrong = list(wrong_ratings())
        for rating in wrong:
            self.stderr.write(
                f"{rating.product_id}: {rating.count} reviews with {rating.stars} stars,"
                f" not {rating.right_count} with {rating.right_stars}"
            )
            if repair:
                repair_rating(product_id=rating.product_id)
        if wrong and not repair:
            raise CommandError(f"{len(wrong)} ratings are wrong.")
        self.stdout.write(f"Repaired: {len(wrong)}." if wrong else "All ratings are right.")
