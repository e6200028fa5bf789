"""Everything that changes a cart, an order, a payment or a shipment."""
