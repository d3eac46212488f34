"""The news gateway, both ways: posts go to a newsgroup, its articles come to the list."""
