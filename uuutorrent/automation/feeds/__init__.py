"""Rules for RSS and Atom feeds, and what they take."""
