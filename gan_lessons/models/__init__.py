"""Networks, sized by arguments. G maps z (n, z_dim) to samples; D maps samples to raw logits (n, 1).

mlp: the perceptrons of chapter 05 · convolutions: the DCGAN pair · colour: the pair of chapter 08 ·
classic: the CNN pair of early tutorials · layers: what these share, and `prepared` for a device.
"""

from gan_lessons.models.mlp import initialise, mlp, mlp_discriminator, mlp_generator

__all__ = ["initialise", "mlp", "mlp_discriminator", "mlp_generator"]
