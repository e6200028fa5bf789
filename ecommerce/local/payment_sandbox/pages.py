"""What a person sees of the sandbox: the latest payments, and the bank's question."""

import time
from html import escape
from string import Template
from urllib.parse import urlencode

from ecommerce.local.payment_sandbox.cards import CARDS
from ecommerce.local.payment_sandbox.changes import Document

WITHOUT_DECIMALS = frozenset({"jpy", "krw", "vnd", "clp", "isk", "ugx", "xaf", "xof", "pyg"})

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2f6f5e; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2rem 1.25rem 4rem;
       font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; }
p { max-width: 42rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font-size: .875em; }
.status { background: var(--soft); border-radius: 1rem; padding: .1rem .6rem; white-space: nowrap; }
.card { border: 1px solid var(--line); border-radius: .5rem; max-width: 26rem; margin: 3rem auto;
        padding: 1.5rem; }
.sum { font-size: 1.75rem; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
.actions { display: flex; gap: .75rem; }
button { font: inherit; flex: 1; padding: .6rem 1rem; border-radius: .375rem; cursor: pointer;
         border: 1px solid var(--line); background: transparent; color: inherit; }
button.main { background: var(--accent); border-color: var(--accent); color: #fff; }
a { color: inherit; }
</style>
</head>
<body>
$body
</body>
</html>
""")


def _page(title: str, body: str) -> str:
    return _PAGE.substitute(title=escape(title), body=body)


def money(amount: int, currency: str) -> str:
    """Return the amount as people write it."""
    decimals = 0 if currency in WITHOUT_DECIMALS else 2
    return f"{amount / 10**decimals:,.{decimals}f} {currency.upper()}"


def overview(intents: list[Document]) -> str:
    """Return the start page: the latest payments and the test cards."""
    rows = "".join(_row(intent) for intent in intents)
    payments = (
        '<div class="table"><table><thead><tr><th>Time (UTC)</th><th>Payment</th>'
        '<th>Description</th><th>Status</th><th class="amount">Amount</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>No payment yet.</p>"
    )
    cards = "".join(
        f"<tr><td><code>{escape(card.name)}</code></td><td>{escape(card.effect)}</td></tr>"
        for card in CARDS.values()
    )
    return _page(
        "Payment sandbox",
        "<h1>Payment sandbox</h1>"
        "<p>Speaks the Stripe endpoints that the store uses. No money moves.</p>"
        f"<h2>Latest payments</h2>{payments}"
        '<h2>Test payment methods</h2><div class="table"><table><thead><tr><th>Name</th>'
        f"<th>What it does</th></tr></thead><tbody>{cards}</tbody></table></div>"
        '<h2>For programs</h2><p><a href="/_sandbox/ledger">Ledger</a>, '
        '<a href="/_sandbox/faults">faults</a>, <a href="/_sandbox/health">health</a></p>',
    )


def _row(intent: Document) -> str:
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(intent["created"]))
    status = f'<span class="status">{escape(intent["status"].replace("_", " "))}</span>'
    if intent["status"] == "requires_action":
        status = f'<a href="/3ds/{escape(intent["id"])}">{status}</a>'
    return (
        f"<tr><td>{made}</td><td><code>{escape(intent['id'])}</code></td>"
        f"<td>{escape(intent['description'] or '')}</td><td>{status}</td>"
        f'<td class="amount">{escape(money(intent["amount"], intent["currency"]))}</td></tr>'
    )


def challenge(intent: Document) -> str:
    """Return the page on which a shopper authorises or refuses a payment."""
    description = f"<p>{escape(intent['description'])}</p>" if intent["description"] else ""
    return _page(
        "Authorise the payment",
        '<main class="card"><h1>Authorise the payment</h1>'
        f'<p class="sum">{escape(money(intent["amount"], intent["currency"]))}</p>{description}'
        "<p>This is the payment sandbox in the place of the bank.</p>"
        '<form method="post" class="actions">'
        '<button class="main" name="outcome" value="authorise">Authorise</button>'
        '<button name="outcome" value="refuse">Refuse</button></form></main>',
    )


def message(title: str, text: str) -> str:
    """Return a page that says one thing."""
    return _page(
        title,
        f'<main class="card"><h1>{escape(title)}</h1><p>{escape(text)}</p></main>',
    )


def way_back(return_url: str, intent: Document, *, authorised: bool) -> str:
    """Return the address to which the shopper goes back, with what Stripe adds to it."""
    facts = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if authorised else "failed",
        }
    )
    address, hash_sign, fragment = return_url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{facts}{hash_sign}{fragment}"
