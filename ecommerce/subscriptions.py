"""Event name -> names of the tasks that want it: all asynchronous coupling on one screen."""

SUBSCRIPTIONS: dict[str, list[str]] = {
    "catalog.availability_changed": ["catalog.look_after_alerts", "catalog.search_what_is_left"],
    "catalog.product_changed": ["catalog.look_after_alerts"],
    "orders.order_completed": ["catalog.note_purchase"],
    "orders.order_paid": ["orders.plan_shipment"],
    "users.session_reuse_detected": ["users.warn_of_reuse"],
}
