"""The catalog's documents."""
