"""Mails that need two apps: what has happened to goods, and the addresses of people."""
