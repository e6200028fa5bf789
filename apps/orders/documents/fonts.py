"""Which font draws which character, so that every name can be written down.

Noto Sans, embedded, has Latin, Greek and Cyrillic letters. Chinese, Japanese and Korean are drawn
by the fonts that PDF readers have for them. What neither has is shown as a question mark in a
diamond.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from itertools import groupby

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

OURS = "NotoSans"
# The standards say which characters the readers' fonts have.
READERS = {
    "shift_jis": "HeiseiKakuGo-W5",
    "gb2312": "STSong-Light",
    "big5": "MSung-Light",
    "euc_kr": "HYSMyeongJo-Medium",
}
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@cache
def _drawn() -> frozenset[int]:
    """Make the fonts known to reportlab; return the characters that ours has."""
    place = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
    with as_file(place) as path:
        font = TTFont(OURS, str(path))
    pdfmetrics.registerFont(font)
    for name in READERS.values():
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return frozenset(font.face.charToGlyph)


def runs(text: str) -> list[tuple[str, str]]:
    """Return the text in pieces, each with the name of the font that draws it."""
    return [
        (font, "".join(character for _, character in piece))
        for font, piece in groupby(_drawable(text), key=lambda each: each[0])
    ]


def width(text: str, size: float) -> float:
    """Return how wide the text is, in points."""
    return sum(pdfmetrics.stringWidth(piece, font, size) for font, piece in runs(text))


def _drawable(text: str) -> Iterator[tuple[str, str]]:
    ours = _drawn()
    for character in unicodedata.normalize("NFC", text):
        if unicodedata.category(character)[0] == "C":
            continue  # control characters and what joins or directs others
        if ord(character) in ours:
            yield OURS, character
        else:
            yield _of_readers(character) or (OURS, UNKNOWN)


def _of_readers(character: str) -> tuple[str, str] | None:
    for standard, font in READERS.items():
        try:
            character.encode(standard)
        except UnicodeEncodeError:
            continue
        return font, character
    return None
