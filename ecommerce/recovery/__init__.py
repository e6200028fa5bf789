"""Backup and restore of what the store keeps: no business rule, and no Django."""
