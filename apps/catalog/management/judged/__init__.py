"""Queries over a real catalog whose right answers are known without asking any engine."""
