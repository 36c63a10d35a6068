"""The CNN pair of many early tutorials, as they had it: chapter 07 plays it beside a DCGAN."""

from torch import nn

from gan_lessons.models.layers import Flat, Maps


def classic_discriminator() -> nn.Sequential:
    """Images (n, 1, 28, 28) to logits (n, 1): 5x5 convolutions with 32 and 64 features, average pooling, 1024 units.

    Its weights begin as truncated normals, its biases as 0.
    """
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(inplace=True), nn.AvgPool2d(2)),  # (n, 32, 14, 14)
        *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(inplace=True), nn.AvgPool2d(2)),  # (n, 64, 7, 7)
        *(Flat(), nn.Linear(3136, 1024), nn.ReLU(inplace=True), nn.Linear(1024, 1)),
    )
    _truncated(network)
    return network


def classic_generator(z_dim: int = 100) -> nn.Sequential:
    """The generator of many 2016 tutorials: z (n, z_dim) to images (n, 1, 28, 28) in (0, 1), by resizing.

    A linear layer makes one map of 56x56 pixels. Three convolutions with stride 2 follow, to z_dim/2 and z_dim/4
    features and to one; after each of the first two the maps are enlarged to 56x56 again, bilinearly. The tutorials
    called it a deconvolution; it has none. Weights and biases begin as truncated normals.
    """
    a, b = z_dim // 2, z_dim // 4
    network = nn.Sequential(
        *(nn.Linear(z_dim, 3136), Maps(56), nn.BatchNorm2d(1), nn.ReLU(inplace=True)),  # (n, 1, 56, 56)
        *(nn.Conv2d(1, a, 3, stride=2, padding=1), nn.BatchNorm2d(a), nn.ReLU(inplace=True), _enlarged()),
        *(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True), _enlarged()),
        *(nn.Conv2d(b, 1, 1, stride=2), nn.Sigmoid()),  # (n, 1, 28, 28)
    )
    _truncated(network, biases=True)
    return network


def _enlarged() -> nn.Upsample:
    """Twice the side: a new pixel lies between four old ones, and gets their weighted mean."""
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


def _truncated(network: nn.Module, biases: bool = False) -> None:
    """Weights from N(0, .02) cut at two standard deviations, and the biases too, or else 0."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, 0.0, 0.02, -0.04, 0.04)
            if layer.bias is not None and biases:
                nn.init.trunc_normal_(layer.bias, 0.0, 0.02, -0.04, 0.04)
            elif layer.bias is not None:
                nn.init.zeros_(layer.bias)
