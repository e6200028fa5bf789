"""The gate that a migration passes before it may run beside a store that is selling."""
