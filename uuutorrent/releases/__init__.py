"""What can be had: release names, the index, the ranking, the search."""
