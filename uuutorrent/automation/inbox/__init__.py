"""What people should know or choose, and what they do with their files."""
