"""What a Doc carries: triples, entities, sentences and trees."""
