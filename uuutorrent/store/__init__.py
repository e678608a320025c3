"""What is stored: the database, the schema, the sealed secrets."""
