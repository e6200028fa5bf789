"""The one refusal of the recovery commands."""


class CannotRecover(Exception):
    """One sentence for whoever stands before a lost database: what is wrong and what to do."""
