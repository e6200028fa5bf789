"""Everything that is read of people, and nothing that writes."""
