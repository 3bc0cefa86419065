"""A random BERT of two layers, saved as a checkpoint: stands in for a real encoder without any download."""

import pathlib

from tests.contract.sentences import CHINESE, ENGLISH

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# Pieces that no text is cut into, since punctuation is a word of its own, make room for markers.
MARKERS = {"##.": "@", "##_": "#"}


def save_tiny_bert(path: pathlib.Path, *, width: int = 48) -> None:
    """Write config.json, tokenizer.json and model.safetensors."""
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    text = " ".join(sentence for sentence, _ in ENGLISH + CHINESE).lower()
    letters = sorted(set(text + "abcdefghijklmnopqrstuvwxyz_") - {" "})
    words = sorted({word for word in text.replace(".", " ").split() if word.isascii() and len(word) > 1})
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *words]
    pieces = [MARKERS.get(piece, piece) for piece in pieces]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(path, safe_serialization=True)
