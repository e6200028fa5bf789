"""What the store tells of itself: figures for Prometheus, and whether a process still lives."""
