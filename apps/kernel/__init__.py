"""The few words all apps share; nothing enters for one user only."""
