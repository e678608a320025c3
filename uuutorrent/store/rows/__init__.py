"""The tables, a file for each subject; `tables` names all of them."""
