"""A payment provider for one machine: speaks the Stripe endpoints in use, moves no money."""
