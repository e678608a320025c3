"""Telling people outside of here."""
