"""Invoices and credit notes: what they say, and how they look as PDF."""
