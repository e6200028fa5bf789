"""What shoppers buy: carts, orders, payments, shipments."""
