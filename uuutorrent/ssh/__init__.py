"""The SSH port: screens, commands and files."""
