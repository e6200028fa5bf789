"""Search engines behind one interface: they rank ids, PostgreSQL has the rows."""
