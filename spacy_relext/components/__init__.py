"""Station 5: the pipeline components, Doc in and Doc out."""
