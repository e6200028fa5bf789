"""Bare Django with its default middleware: what no project on this machine can be cheaper than."""
