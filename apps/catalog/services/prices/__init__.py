"""Everything that changes prices."""
