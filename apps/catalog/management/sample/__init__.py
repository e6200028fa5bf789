"""The small catalog that a new store starts with: its products and how they look."""
