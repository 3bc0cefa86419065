"""Relations by description: a matcher of entity pairs and relation descriptions that predicts unseen relations."""
