"""Services that bring the search cluster's index to what the database says."""
