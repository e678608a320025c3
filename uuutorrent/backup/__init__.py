"""Backups: taken, kept, listed, restored, and restored for practice."""
