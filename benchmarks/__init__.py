"""Speed: what a request costs the store, beside what it costs bare Django on the same servers."""
