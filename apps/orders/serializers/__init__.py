"""What is taken in, and what is given out."""
