"""What people see of their files: the folders of the view, and the names in them."""
