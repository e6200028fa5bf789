"""The apps of the monolith; apps/README.md says how they may talk to each other."""
