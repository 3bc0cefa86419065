"""A linear layer for heads that predict beside an encoder in bf16."""

from torch import Tensor, nn
from torch.nn import functional as F

from ..encoders.precision import uses_bf16
from ..encoders.prediction import KeepsCopy


class PredictionLinear(KeepsCopy, nn.Linear):
    """A linear layer that predicts in bf16 where a CPU multiplies such matrices natively.

    The gain is less in the product than in the weights, which leave more of the processor's cache to the encoder.
    """

    def __init__(self, n_inputs: int, n_outputs: int, *, precision: str = "fp32") -> None:
        """Create the layer.

        n_inputs (int): I.
        n_outputs (int): O.
        precision (str): Of predictions on a CPU: "fp32", "bf16" or "auto".
        """
        super().__init__(n_inputs, n_outputs)
        self.precision = precision

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply.

        inputs (Tensor): Shape (..., I)
        RETURNS (Tensor): Of the same type. Shape (..., O)
        """
        if not (self.may_use_copy(inputs.device) and uses_bf16(self.precision, inputs.device)):
            return super().forward(inputs)
        weights = self.copy_once(lambda: [part.detach().bfloat16() for part in (self.weight, self.bias)])
        return F.linear(inputs.bfloat16(), *weights).to(inputs.dtype)
