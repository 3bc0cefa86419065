"""Coreference: which entity a pronoun or a phrase such as "the company" stands for."""
