"""The Complete Journey, a year of real grocery receipts, as a catalog and as orders."""
