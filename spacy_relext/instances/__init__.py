"""Station 2: a Doc becomes what is classified, as integer arrays."""
