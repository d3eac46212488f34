"""The habits of REST 3.1: bodies, paging, errors, tags, authentication."""
