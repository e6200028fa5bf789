"""Invoices and credit notes as PDF: the same bytes each time for what says the same."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from apps.kernel.money import format_minor
from apps.orders.documents.content import Content
from apps.orders.documents.fonts import runs, width
from apps.orders.pricing.percentages import percentage_of

WIDE, HIGH = A4
LEFT, RIGHT, TOP, BOTTOM = 56.0, WIDE - 56.0, HIGH - 56.0, 64.0
SIZE, SMALL, LARGE = 9.0, 7.5, 18.0
LINE = 12.5
GREY = 0.45


def written(content: Content, *, title: str, number: str, issued_at: datetime) -> bytes:
    """Return the PDF of an invoice or a credit note, which differ in what they hold."""
    paper = Paper(f"{title} {number}")
    money = Amounts(content["currency"])
    seller, order = content["seller"], content["order"]
    paper.block([seller["name"], *seller["address"], *_named("Tax number", seller["tax_id"])])
    paper.space()
    paper.block(_address(content["buyer"]))
    paper.down(2 * LINE)
    paper.text(LEFT, f"{title} {number}", size=LARGE)
    paper.down(2 * LINE)
    facts = [("Date", _day(issued_at)), ("Order", order["number"])]
    facts.append(("Ordered on", _day(datetime.fromisoformat(order["placed_at"]))))
    if "paid_at" in content:
        facts.append(("Paid on", _day(datetime.fromisoformat(content["paid_at"]))))
    if "invoice" in content:
        facts.append(("Corrects invoice", content["invoice"]))
    for name, value in facts:
        paper.row([Cell(name, LEFT), Cell(value, LEFT + 100)])
    paper.space()
    if "lines" in content:
        _lines(paper, content["lines"], money)
    _totals(paper, content["totals"], money)
    _taxes(paper, content["taxes"], money)
    paper.space()
    paper.row([Cell(f"All amounts in {money.currency}.", LEFT)], size=SMALL)
    return paper.finished()


class Amounts:
    """Writes minor units of one currency."""

    def __init__(self, currency: str) -> None:
        self.currency = currency

    def __call__(self, minor: int) -> str:
        return format_minor(minor, self.currency)


class Cell:
    """A short text on a line: it begins at `x`, or ends there."""

    def __init__(self, text: str, x: float, *, ends: bool = False) -> None:
        self.text, self.x, self.ends = text, x, ends


class Paper:
    """Pages that are filled from top to bottom, each with its number."""

    def __init__(self, title: str) -> None:
        self._bytes = BytesIO()
        # Without the time and a random id, equal documents are equal files.
        self._canvas = Canvas(self._bytes, pagesize=A4, invariant=1, lang="en")
        self._canvas.setTitle(title)
        self._title, self._page = title, 1
        self._y = TOP

    def text(self, x: float, text: str, *, size: float = SIZE, ends: bool = False) -> None:
        """Write on the present line."""
        if ends:
            x -= width(text, size)
        for font, piece in runs(text):
            self._canvas.setFont(font, size)
            self._canvas.drawString(x, self._y, piece)
            x += self._canvas.stringWidth(piece, font, size)

    def block(self, lines: Iterable[str]) -> None:
        """Write lines, each as many as it needs."""
        for line in lines:
            self.row([], wrapped=(line, LEFT, RIGHT))

    def row(
        self,
        cells: Sequence[Cell],
        *,
        wrapped: tuple[str, float, float] = ("", 0.0, 0.0),
        size: float = SIZE,
    ) -> None:
        """Write cells on one line, beside a text that may need more lines: it, from and to."""
        text, begin, end = wrapped
        lines = list(_wrapped(text, end - begin, size)) if text else [""]
        for place, line in enumerate(lines):
            if self._y < BOTTOM:
                self._next_page()
            if place == 0:
                for cell in cells:
                    self.text(cell.x, cell.text, size=size, ends=cell.ends)
            if line:
                self.text(begin, line, size=size)
            self.down(LINE)

    def rule(self) -> None:
        """Draw a line across."""
        self._canvas.setStrokeGray(GREY)
        self._canvas.line(LEFT, self._y + LINE - 3, RIGHT, self._y + LINE - 3)

    def space(self) -> None:
        self.down(LINE)

    def down(self, points: float) -> None:
        self._y -= points

    def finished(self) -> bytes:
        """Return the file."""
        self._foot()
        self._canvas.save()
        return self._bytes.getvalue()

    def _next_page(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._page += 1
        self._y = TOP

    def _foot(self) -> None:
        self._y = BOTTOM - 24
        self.text(LEFT, self._title, size=SMALL)
        self.text(RIGHT, f"Page {self._page}", size=SMALL, ends=True)


COLUMNS = (320.0, 380.0, 470.0, RIGHT)


def _lines(paper: Paper, lines: Iterable[Any], money: Amounts) -> None:
    heads = ("Quantity", "Price", "Tax rate", "Amount")
    paper.row(
        [
            Cell("Item", LEFT),
            *(Cell(head, x, ends=True) for head, x in zip(heads, COLUMNS, strict=True)),
        ],
        size=SMALL,
    )
    paper.rule()
    for line in lines:
        rates = " + ".join(f"{percentage_of(ppm)} %" for ppm in line["rates"])
        values = (str(line["quantity"]), money(line["unit_price"]), rates, money(line["total"]))
        paper.row(
            [Cell(value, x, ends=True) for value, x in zip(values, COLUMNS, strict=True)],
            wrapped=(line["name"], LEFT, COLUMNS[0] - 50),
        )
        paper.row([Cell(f"SKU {line['sku']}", LEFT)], size=SMALL)
        if line["discount"]:
            off = Cell(money(-line["discount"]), RIGHT, ends=True)
            paper.row([Cell("Discount", LEFT + 12), off])
    paper.rule()


def _totals(paper: Paper, totals: Any, money: Amounts) -> None:
    named = {
        "items": "Goods",
        "discount": "Discounts, of goods and shipping",
        "shipping": "Shipping",
        "net": "Without tax",
        "tax": "Tax",
        "grand_total": "Total",
    }
    for key, name in named.items():
        if key in totals and (totals[key] or key == "grand_total"):
            minor = -totals[key] if key == "discount" else totals[key]
            paper.row([Cell(name, COLUMNS[0], ends=True), Cell(money(minor), RIGHT, ends=True)])
    if totals.get("tax_included"):
        included = Cell(money(totals["tax_included"]), RIGHT, ends=True)
        paper.row([Cell("Tax that the total holds", COLUMNS[0], ends=True), included])


def _taxes(paper: Paper, taxes: Sequence[Any], money: Amounts) -> None:
    if not taxes:
        return
    paper.space()
    heads = ("Rate", "Net", "Tax")
    places = (COLUMNS[0], COLUMNS[2], RIGHT)
    paper.row(
        [
            Cell("Taxes", LEFT),
            *(Cell(head, x, ends=True) for head, x in zip(heads, places, strict=True)),
        ],
        size=SMALL,
    )
    paper.rule()
    for tax in taxes:
        values = (f"{percentage_of(tax['ppm'])} %", money(tax["net"]), money(tax["amount"]))
        paper.row(
            [Cell(value, x, ends=True) for value, x in zip(values, places, strict=True)],
            wrapped=(tax["name"], LEFT, COLUMNS[0] - 80),
        )


def _address(buyer: Any) -> list[str]:
    lines = [
        buyer["company"],
        f"{buyer['first_name']} {buyer['last_name']}",
        buyer["line1"],
        buyer["line2"],
        f"{buyer['postal_code']} {buyer['city']}",
        buyer["region"],
        buyer["country"],
    ]
    return [line.strip() for line in lines if line.strip()]


def _named(name: str, value: str) -> list[str]:
    return [f"{name}: {value}"] if value else []


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _wrapped(text: str, room: float, size: float) -> Iterable[str]:
    """Yield lines no wider than the room; a word that is wider is cut."""
    line = ""
    for word in text.split():
        if line and width(f"{line} {word}", size) <= room:
            line = f"{line} {word}"
            continue
        if line:
            yield line
        line = word
        while width(line, size) > room:
            fits = next(n for n in range(len(line), 0, -1) if width(line[:n], size) <= room)
            yield line[:fits]
            line = line[fits:]
    yield line
