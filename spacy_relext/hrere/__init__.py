"""HRERE (Xu and Barbosa, NAACL 2019): bags of sentences and a knowledge base, jointly."""
