"""Relations between the entities of a document, across its sentences."""
