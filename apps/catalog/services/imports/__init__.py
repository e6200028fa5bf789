"""Bringing many products in from outside at once: from programs, and from files that staff send."""
