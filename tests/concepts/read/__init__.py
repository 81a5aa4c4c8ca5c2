"""READ: what is read, what is searched, what it is held against."""
