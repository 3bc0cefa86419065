"""Raw data formats, one parser per file."""
