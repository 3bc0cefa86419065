"""The detector over word pieces: what it makes of a sentence."""

import torch

from spacy_relext.rere.marked import means_of_rows


def test_the_mean_of_all_pieces_of_a_sequence() -> None:
    """Two padded batches, of two sequences and of one; the last sequence comes first in the input."""
    masks = [torch.tensor([[True, True, False], [True, True, True]]), torch.tensor([[True, True]])]
    cells = torch.tensor([[1.0], [3.0], [100.0], [2.0], [4.0], [9.0], [7.0], [9.0]])
    assert means_of_rows(cells, masks, torch.tensor([6, 0, 3])).tolist() == [[8.0], [2.0], [5.0]]


def test_no_sentences() -> None:
    assert means_of_rows(torch.zeros(0, 4), [], torch.zeros(0, dtype=torch.long)).shape == (0, 4)
