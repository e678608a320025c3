"""The screen for admins: people, who is here, and how the house does."""
