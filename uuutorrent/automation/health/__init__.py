"""How downloads fare, and what is done about those that do not do well."""
