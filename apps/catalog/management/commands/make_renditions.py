"""`manage.py make_renditions`: pictures from before there were renditions get theirs."""

from django.core.management.base import BaseCommand

from apps.catalog.services.pictures import advance_picture, wish_for_renditions


class Command(BaseCommand):
    """Writes the work down and does it, beside the workers if there are any. Safe to repeat."""

    help = "Draw thumbnail, medium and large of every picture that has none."

    def handle(self, *args: object, **options: object) -> None:
        wished, done = wish_for_renditions(), 0
        while advance_picture():
            done += 1
        self.stdout.write(f"{wished} pictures had no renditions. Worked off: {done}.")
