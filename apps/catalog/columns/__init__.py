"""The columns of product files: what each may hold, where it is read and where it is kept."""
