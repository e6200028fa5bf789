"""What the sandbox promises, tried on a real process with the official SDK."""
