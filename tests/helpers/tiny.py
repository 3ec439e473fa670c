"""Make small models for tests of the interface: one with random weights, and one whose predictions are scripted."""

from functools import cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from claimstance.inference import Tagger
from claimstance.model.config import ModelConfig
from claimstance.model.labels import DEFAULT_LABELS, OPINION_HEADS, ROLES, TASKS, bio
from claimstance.model.predictor import Predictor
from claimstance.model.windows import WindowBuilder


@cache
def exported(
    encoder: Path,
    tasks: tuple[str, ...] = TASKS,
    opinion_spans: bool = False,
    **labels: tuple[str, ...],
) -> Path:
    """Return the folder of an exported model on ``encoder`` with random heads. Tests must not write to it."""
    import torch

    from claimstance.model.network import ClaimStanceModel
    from claimstance.model.onnx.export import export

    sets = {
        task: labels.get(task, names) for task, names in DEFAULT_LABELS.items() if task in tasks
    }
    folder = encoder.parent / "-".join(["model", *tasks, *labels, *["opinions"] * opinion_spans])
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = ClaimStanceModel.from_encoder(
            str(encoder),
            {
                "tasks": tasks,
                "labels": sets,
                "max_tokens": 64,
                "name": "random",
                "opinion_spans": opinion_spans,
            },
        )
    model.save_pretrained(folder)
    return export(folder, precision="float32")


class Scripted:
    """Stand in for a backend: tag words by a script, link near spans, and predict favor for a holder, against for none.

    Attributes:
        asked: the words of the holder and the target of every stance query.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        roles: dict[str, str],
        entities: dict[str, str],
        opinions: dict[str, str],
    ) -> None:
        self._tokenizer = tokenizer
        self._tags = {
            "attribution": (bio(ROLES), roles),
            "entity": (bio(DEFAULT_LABELS["entity"]), entities),
        }
        for head, label in OPINION_HEADS.items():
            words = {word: label for word, name in opinions.items() if name == head}
            self._tags[head] = (bio((label,)), words)
        self._words: list[str] = []
        self.asked: list[tuple[str, str]] = []

    def read(self, ids, segments, sentences):
        self._words = [self._tokenizer.id_to_token(number) for number in ids[0]]
        output = {task: self._token_logits(*tags) for task, tags in self._tags.items()}
        # The words travel as the hidden vectors, since a stance may be requested after other windows were read.
        hidden = ids[..., None].astype(np.float32)
        claims = [
            [0.0, 1.0 if "said" in self._words[start:end] else -1.0] for _, start, end in sentences
        ]
        unsure = np.zeros((len(sentences), 2))
        return {
            "hidden": hidden,
            **output,
            "claim": np.array(claims),
            "check_worthy": unsure,
            "subjective": unsure,
        }

    def _token_logits(self, tags, labels):
        logits = np.zeros((1, len(self._words), len(tags)))
        previous = None
        for position, word in enumerate(self._words):
            label = labels.get(word)
            tag = "O" if label is None else f"{'I' if label == previous else 'B'}-{label}"
            logits[0, position, tags.index(tag)] = 9
            previous = label
        return logits

    def link(self, hidden, cues, spans):
        distances = np.abs(cues[:, 1] - spans[:, 1])
        return np.stack([9 - 0.1 * distances] * 2, axis=1)

    def stance(self, hidden, holders, targets, sentences):
        words = [self._tokenizer.id_to_token(int(number)) for number in hidden[0, :, 0]]
        rows = []
        for (_, start, end), (_, first, last) in zip(holders, targets, strict=True):
            self.asked.append((" ".join(words[start:end]), " ".join(words[first:last])))
            rows.append([0.0, 0.0, 2.0] if end > start else [2.0, 0.0, 0.0])
        return np.array(rows)


def scripted(
    text: str,
    roles: dict[str, str],
    entities: dict[str, str],
    opinions: dict[str, str] | None = None,
    **config,
) -> tuple[Tagger, Scripted]:
    """Return a tagger that knows the words of ``text`` and how to tag them, and its backend.

    ``roles`` maps each role to its words, separated by spaces; ``entities`` maps entity labels likewise, and
    ``opinions`` the heads of ``OPINION_HEADS``.
    """
    pre_tokenizer = pre_tokenizers.Whitespace()
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *sorted({word for word, _ in pre_tokenizer.pre_tokenize_str(text)}),
    ]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizer
    by_word = [
        {word: name for name, script_words in script.items() for word in script_words.split()}
        for script in (roles, entities, opinions or {})
    ]
    backend = Scripted(tokenizer, *by_word)
    settings = ModelConfig(encoder={"hidden_size": 1}, **{"max_tokens": 64, **config})
    return Tagger(
        Predictor(settings, WindowBuilder(tokenizer, settings.max_tokens), backend), "0" * 64
    ), backend


#: An article for a scripted tagger, and the words of its roles and entities.
TEXT = """Ministers Clash over Harbour Tax
Senator Carl Amsel spoke on Monday. He said that the harbour tax is theft. Critics blamed him for the delay.
Ships waited. A spokesman for Amsel said that ferries were late.
"""
SCRIPT_ROLES = {
    "source": "He Critics spokesman",
    "cue": "said blamed",
    "content": "harbour tax theft ferries late",
}
SCRIPT_ENTITIES = {"PERSON": "Carl Amsel"}


def script(text: str = TEXT, **config) -> tuple[Tagger, Scripted]:
    """Return a scripted tagger for a text of the same words as ``TEXT``, and its backend."""
    return scripted(text, SCRIPT_ROLES, SCRIPT_ENTITIES, **config)
