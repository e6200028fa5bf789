"""HTTP in, HTTP out: parse, one call, render."""
