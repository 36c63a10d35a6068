"""Labels: beside z and images, in the conditional loop, in a generator's hands; and what is refused, with words."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, averaging, base, data, labels, losses, models, noise
from gan_lessons.training import train_conditional

CLASSES = 3


def small_gan() -> GAN:
    torch.manual_seed(0)
    G = models.mlp_generator((16,), z_dim=5 + CLASSES, outputs=9, signed=True).double()
    D = models.mlp_discriminator((16,), inputs=9 + CLASSES, slope=0.2).double()
    plain = noise.Prior("gaussian", 5, lambda *size, **where: torch.randn(*size, dtype=torch.float64, **where))
    return GAN(G, D, noise.labelled(plain, CLASSES))


def endless(n: int = 8) -> Iterator[tuple[Tensor, Tensor]]:
    source = torch.Generator().manual_seed(1)
    while True:
        y = torch.randint(CLASSES, (n,), generator=source)
        yield 0.2 * torch.rand(n, 9, generator=source, dtype=torch.float64) + 0.6 * (y[:, None] - 1), y


def adams(gan: GAN) -> dict[str, Any]:
    names = {"g_optimizer": gan.G, "d_optimizer": gan.D}
    return {name: torch.optim.Adam(network.parameters(), 1e-2) for name, network in names.items()}


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


# --- beside -----------------------------------------------------------------------------------------------------------


def test_beside_a_row_stands_the_one_hot_and_beside_an_image_a_map_of_ones() -> None:
    rows, images = torch.randn(2, 4), torch.randn(2, 3, 5, 6)
    wide = labels.beside(rows, torch.tensor([2, 0]), CLASSES)
    assert torch.equal(wide[:, :4], rows)
    assert wide[:, 4:].tolist() == [[0, 0, 1], [1, 0, 0]]
    more = labels.beside(images, [2, 0], CLASSES)
    assert more.shape == (2, 6, 5, 6)
    assert torch.equal(more[:, :3], images)
    assert (more[0, 5] == 1).all()
    assert (more[1, 3] == 1).all()
    assert float(more[:, 3:].sum()) == 2 * 5 * 6


@pytest.mark.parametrize("given", [1, [1, 1], (1, 1), np.array([1, 1]), torch.tensor([1, 1], dtype=torch.uint8)])
def test_labels_come_as_one_number_for_all_or_as_many_as_images(given: Any) -> None:
    found = labels.checked(given, 2, CLASSES)
    assert found.tolist() == [1, 1]
    assert found.dtype == torch.int64


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([0, 3], "labels lie from 0 to 2, and here is 3"),
        (-1, "labels lie from 0 to 2, and here is -1"),
        ([0, 1, 2], r"2 images take 2 labels, or one for all, not labels of shape \(3,\)"),
        ([[0, 1]], r"not labels of shape \(1, 2\)"),
        ([0.0, 1.0], "labels are whole numbers from 0 to 2, not torch.float32"),
        (torch.tensor([True, False]), "not torch.bool"),
    ],
)
def test_labels_that_do_not_fit_are_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        labels.checked(given, 2, CLASSES)


def test_d_is_told_the_labels_of_a_batch_of_two_batches_and_of_the_first_few() -> None:
    D = nn.Linear(9 + CLASSES, 1)
    (real, y), (fake, _) = (tuple(part.float() for part in next(endless(4))) for _ in range(2))
    y = torch.tensor([2, 0, 1, 1])
    told = labels.Told(D, y, CLASSES)
    both = torch.cat([labels.beside(real, y, CLASSES), labels.beside(fake + 1, y, CLASSES)])
    assert torch.equal(told(torch.cat([real, fake + 1])), D(both))
    assert torch.equal(told(real[:2]), D(both[:2]))
    assert list(told.parameters()) == list(D.parameters())


# --- noise ------------------------------------------------------------------------------------------------------------


def test_noise_with_labels_is_the_same_noise_and_the_labels_asked_for_or_all_equally_often() -> None:
    plain, source = noise.sphere(5), partial(torch.Generator().manual_seed, 0)
    prior = noise.labelled(plain, CLASSES)
    z = plain.sample(6, generator=source())
    asked = prior.sample(6, [0, 1, 2, 0, 1, 2], generator=source())
    assert asked.shape == (6, 5 + CLASSES)
    assert torch.equal(asked[:, :5], z)
    assert asked[:, 5:].argmax(1).tolist() == [0, 1, 2, 0, 1, 2]
    assert torch.equal(prior.sample(6, generator=source())[:, :5], z)
    hot = prior.sample(6000, generator=source())[:, 5:]
    assert torch.equal(hot.sum(1), torch.ones(6000))
    assert hot.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)


@pytest.mark.parametrize(
    "change",
    [
        partial(noise.shifted, scale=2.0),
        partial(noise.standardised, mean=0, std=1),
        lambda p: noise.turned(p, torch.eye(5)),
    ],
)
def test_changed_noise_keeps_its_labels(change: Any) -> None:
    prior = change(noise.labelled(noise.gaussian(5), CLASSES))
    assert prior.sample(2, 1)[:, 5:].tolist() == [[0, 1, 0]] * 2


def test_labels_for_noise_without_any_and_a_single_class_are_refused() -> None:
    with pytest.raises(ValueError, match="labels are given, but this generator was trained without any"):
        noise.gaussian(5).sample(2, 1)
    with pytest.raises(ValueError, match="the number of classes must be a whole number of at least 2, not 1"):
        noise.labelled(noise.gaussian(5), 1)


# --- the loop ---------------------------------------------------------------------------------------------------------


def r1_by_hand(D: nn.Module, x: Tensor, hot: Tensor, gamma: float) -> Tensor:
    x = x.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(D(torch.cat([x, hot], 1)).sum(), x, create_graph=True)  # of the image alone
    return gamma / 2 * slope.square().sum(1).mean()


@pytest.mark.parametrize(("d_steps", "g_steps", "gamma"), [(1, 1, 0.0), (2, 1, 0.0), (1, 2, 0.0), (1, 1, 3.0)])
def test_the_conditional_loop_equals_one_written_by_hand(d_steps: int, g_steps: int, gamma: float) -> None:
    """Plain PyTorch: the same one-hot beside the real image, z and the fake image; R1 looks at images alone."""
    ours, (G, D, prior) = small_gan(), small_gan()
    penalty = partial(losses.r1, gamma=gamma) if gamma else None
    game: dict[str, Any] = {"objective": losses.non_saturating, "d_steps": d_steps, "g_steps": g_steps}
    torch.manual_seed(5)
    played = list(train_conditional(ours, endless(), 6, **game, penalty=penalty, **adams(ours)))
    assert [step.number for step in played] == [1, 2, 3, 4, 5, 6]

    optimizers, bce, batches = adams(GAN(G, D, prior)), nn.BCEWithLogitsLoss(), endless()
    ones, zeros = torch.ones(8, 1).double(), torch.zeros(8, 1).double()
    torch.manual_seed(5)
    for _ in range(6):
        for _ in range(d_steps):
            x, y = next(batches)
            hot = torch.eye(CLASSES).double()[y]
            fake = G(torch.cat([prior.draw(8, 5), hot], 1))
            loss = bce(D(torch.cat([x, hot], 1)), ones) + bce(D(torch.cat([fake.detach(), hot], 1)), zeros)
            loss = loss + r1_by_hand(D, x, hot, gamma)
            optimizers["d_optimizer"].zero_grad()
            loss.backward()
            optimizers["d_optimizer"].step()
        for k in range(g_steps):
            fake = G(torch.cat([prior.draw(8, 5), hot], 1)) if k > 0 else fake
            loss = bce(D(torch.cat([fake, hot], 1)), ones)
            optimizers["g_optimizer"].zero_grad()
            loss.backward()
            optimizers["g_optimizer"].step()
    assert torch.allclose(weights(ours.G), weights(G), rtol=0, atol=1e-9)
    assert torch.allclose(weights(ours.D), weights(D), rtol=0, atol=1e-9)
    assert not torch.allclose(weights(ours.G), weights(small_gan().G), atol=1e-3)


def test_a_generator_learns_what_its_labels_ask_for() -> None:
    """Three heaps, one a class: after the game each label draws its own."""
    gan = small_gan()
    adam = partial(torch.optim.Adam, lr=1e-2, betas=(0.0, 0.9))
    game: dict[str, Any] = {"objective": losses.non_saturating, "penalty": partial(losses.r1, gamma=1.0)}
    game |= {"g_optimizer": adam(gan.G.parameters()), "d_optimizer": adam(gan.D.parameters())}
    for _ in train_conditional(gan, endless(64), 300, **game):
        pass
    assert [float(gan.sample(200, k).mean()) for k in range(CLASSES)] == pytest.approx([-0.5, 0.1, 0.7], abs=0.1)


def test_a_game_without_labels_is_refused() -> None:
    gan = small_gan()
    game: dict[str, Any] = {"objective": losses.non_saturating, **adams(gan)}
    only_images = ((x,) for x, _ in endless())
    with pytest.raises(ValueError, match=r"a conditional game needs \(images, labels\) in a batch"):
        next(train_conditional(gan, only_images, 3, **game))
    plain = gan._replace(prior=noise.gaussian(8))
    with pytest.raises(ValueError, match=r"needs noise with labels: noise.labelled\(prior, classes\)"):
        train_conditional(plain, endless(), 3, **game)
    with pytest.raises(ValueError, match="steps must be a whole number"):
        train_conditional(gan, endless(), 0, **game)


# --- what a generator draws -------------------------------------------------------------------------------------------


class Echo(nn.Module):
    """Draws its label: four pixels of its number over two."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.end = nn.Sigmoid()

    def forward(self, z: Tensor) -> Tensor:
        number = z[:, 5:] @ torch.arange(z.shape[1] - 5.0)
        return (self.scale * number)[:, None].expand(-1, 4)


def echo() -> GAN:
    return GAN(Echo(), nn.Identity(), noise.labelled(noise.gaussian(5), CLASSES))


def test_images_are_of_the_labels_that_are_asked_for() -> None:
    gan, asked = echo(), torch.arange(2500) % CLASSES
    drawn = gan.images(2500, labels=asked)  # in chunks
    assert drawn.shape == (2500, 1, 2, 2)
    assert torch.equal(drawn[:, 0, 0, 0] * 2, asked.float())
    assert gan.images(2, labels=1).unique().tolist() == [0.5]
    assert gan.images(torch.randn(3, 5), labels=[0, 1, 2]).flatten(1)[:, 0].tolist() == [0, 0.5, 1]
    halfway = torch.cat([torch.randn(1, 5), torch.tensor([[0.5, 0.5, 0]])], 1)  # what is no label stands beside z
    assert gan.images(halfway).unique().tolist() == [0.25]
    assert set(gan.images(200).unique().tolist()) == {0, 0.5, 1}


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: echo().images(2, labels=[0, 1, 2]), "2 images take 2 labels"),
        (lambda: echo().images(2, labels=3), "labels lie from 0 to 2, and here is 3"),
        (lambda: echo().images(torch.randn(2, 5)), "draws what a label asks for: give labels=, from 0 to 2"),
        (lambda: GAN(Echo(), nn.Identity(), noise.gaussian(8)).images(2, labels=1), "was trained without any"),
        (lambda: GAN(Echo(), nn.Identity(), noise.gaussian(8)).images(torch.randn(2, 8), labels=1), "without any"),
        (lambda: GAN(Echo(), nn.Identity(), noise.gaussian(8)).sample(2, 1), "was trained without any"),
    ],
)
def test_images_that_nobody_can_draw_are_refused(draw: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw()


# --- the base games ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "plain", "more"), [(base.CMLP, base.MLP, (1280, 5120)), (base.CDCGAN, base.DCGAN, (31360, 5120))]
)
def test_a_conditional_base_game_is_the_plain_one_with_labels(
    game: base.Game, plain: base.Game, more: tuple[int, int]
) -> None:
    digits = data.load("digits")
    few = digits._replace(images=digits.images[:200], labels=digits.labels[:200] if digits.labels is not None else None)
    before, _, _ = base.start(plain, few, 0)
    gan, batches, rest = base.start(game, few, 0)
    sizes = [[sum(p.numel() for p in network.parameters()) for network in each[:2]] for each in (gan, before)]
    assert tuple(a - b for a, b in zip(*sizes, strict=True)) == more
    first = [float(loss) for step in game.play(gan, batches, 2, **rest) for loss in step[1:]]
    again, batches, rest = base.start(game, few, 0)
    assert first == [float(loss) for step in game.play(again, batches, 2, **rest) for loss in step[1:]]
    average = averaging.average_of(gan.G)
    assert averaging.averaged(gan, average, 20).images(3, labels=[1, 2, 9]).shape == (3, 1, 28, 28)
    for without in (few.images, few._replace(labels=None)):
        with pytest.raises(ValueError, match=f"the game {game.name} needs images with labels"):
            base.start(game, without, 0)
