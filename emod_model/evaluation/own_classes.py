"""A model that tells two classes apart, read as if they were its arousal: -1 the first, 1 the second."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from emod_model.checkpoint import Model
from emod_model.network.heads import ClassHead


class _TwoClasses(nn.Module):
    """Stands where the head for valence and arousal stood; valence is 0."""

    def __init__(self, head: ClassHead, first: int, second: int):
        super().__init__()
        self.pool, self._head, self._at = head.pool, head, [first, second]

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self._head(tokens)[:, self._at].softmax(-1).unbind(-1)
        mean = torch.stack([torch.zeros_like(first), second - first], -1)
        return mean, torch.ones_like(mean)


def as_arousal(model: Model, classes: tuple[str, ...]) -> Model | None:
    """Return a model whose arousal is how much likelier the second class is; None if it tells others apart.

    Parameters
    ----------
    model : Model
        With a head for classes.
    classes : tuple of str
        Two.
    """
    own, head = model.info.labels.classes, model.network.classes
    if len(classes) != 2 or not set(classes) <= set(own) or not isinstance(head, ClassHead):
        return None
    network = copy.deepcopy(model.network)
    network.affect = _TwoClasses(head, *(own.index(name) for name in classes))  # type: ignore[assignment]
    told = model.info.model_copy(update={"affect_trained": True, "centred": None})
    return replace(model, info=told, network=network.eval())
