"""Business Metrics: orders, revenue, conversion, stock."""

from panel import Panel, stat

PAID = 'increase(shop_orders_total{status="paid"}[$__range])'

PANELS = (
    stat("Orders", 'sum(increase(shop_orders_total{status="pending_payment"}[$__range]))'),
    stat("Paid", f"sum({PAID})"),
    stat(
        "Revenue",
        'sum(increase(shop_order_value_minor_total{status="paid"}[$__range])) / 100',
        "currencyUSD",
        text="What paid orders amount to, before refunds; in units of a currency with cents.",
    ),
    stat(
        "Average order",
        'sum(increase(shop_order_value_minor_total{status="paid"}[$__range])) / 100'
        f" / sum({PAID})",
        "currencyUSD",
    ),
    stat(
        "Conversion",
        'sum(increase(shop_orders_total{status="pending_payment"}[$__range]))'
        " / sum(increase(shop_carts_total[$__range]))",
        "percentunit",
        text="Orders placed for each cart begun.",
    ),
    stat(
        "Sold out",
        'sum(stock_variants{availability="out_of_stock"}) / sum(stock_variants)',
        "percentunit",
        red=0.05,
    ),
    Panel(
        "Orders an hour",
        {"{{status}}": "sum by (status) (increase(shop_orders_total[1h]))"},
        width=12,
        runbook="no-orders",
    ),
    Panel(
        "Revenue an hour",
        {
            "{{currency}}": "sum by (currency)"
            ' (increase(shop_order_value_minor_total{status="paid"}[1h])) / 100'
        },
        "currencyUSD",
        width=12,
    ),
    Panel("Orders by status, now", {"{{status}}": "max by (status) (shop_orders_now)"}),
    Panel(
        "Conversion an hour",
        {
            "": 'sum(increase(shop_orders_total{status="pending_payment"}[1h]))'
            " / sum(increase(shop_carts_total[1h]))"
        },
        "percentunit",
    ),
    Panel(
        "Paid of placed, an hour",
        {
            "": 'sum(increase(shop_orders_total{status="paid"}[1h]))'
            ' / sum(increase(shop_orders_total{status="pending_payment"}[1h]))'
        },
        "percentunit",
        red_below=0.5,
        runbook="payments-decline",
    ),
    Panel(
        "Money given back an hour",
        {"{{currency}}": "sum by (currency) (increase(shop_refunded_minor_total[1h])) / 100"},
        "currencyUSD",
    ),
    Panel(
        "Refunds that are not done",
        {"{{status}}": "max by (status) (shop_refunds)"},
        red=1,
        runbook="refund-refused",
    ),
    Panel("Carts begun an hour", {"": "sum(increase(shop_carts_total[1h]))"}),
    Panel(
        "Variants for sale",
        {"{{availability}}": "max by (availability) (stock_variants)"},
        width=12,
        runbook="stock-outs-surge",
    ),
    Panel(
        "Pieces",
        {"on hand": "max(stock_on_hand_units)", "held back": "max(stock_reserved_units)"},
        width=12,
    ),
)
