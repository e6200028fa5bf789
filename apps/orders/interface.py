"""What other apps may know of orders, and ask of them: nothing yet."""
