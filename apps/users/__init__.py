"""Who people are: accounts, sessions, profiles."""
