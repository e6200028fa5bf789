"""People's rights to their data, across all apps: what is kept, exports, erasures."""
