"""The pages' own scripts: their numbers against PyTorch's, in a browser without a page; and what they are fed with."""

import json
import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lessons import live, losses, models, noise, toys, zoo
from gan_lessons.__main__ import main
from gan_lessons.checkpoints import packed_weights
from gan_lessons.metrics import modes
from gan_lessons.models import colour, convolutions
from gan_lessons.models.layers import BatchDeviation, Maps
from gan_lessons.paths import shipped
from gan_lessons.training import discriminator_step, generator_step
from tests.scripts import AS_TEXT, script

SCRIPTS = Path(__file__).parent.parent / "_static" / "live"
Evaluate = Callable[..., Any]


@pytest.fixture(scope="module")
def run(browser: Any) -> Iterator[Evaluate]:
    """run("argument => …", argument): what an expression is worth where the scripts of the numbers are loaded."""
    page = browser.new_page()
    for name in ("chance.js", "ring_game.js", "networks.js"):
        page.add_script_tag(content=(SCRIPTS / name).read_text(encoding="utf-8"))
    yield page.evaluate
    page.close()


# --- the ring game --------------------------------------------------------------------------------------------------

Z, WIDTH, BATCH = 3, 7, 12
BETAS = (0.5, 0.999)


def pair(deviation: bool) -> tuple[nn.Sequential, nn.Sequential]:
    torch.manual_seed(0)
    G = models.mlp([Z, WIDTH, WIDTH, 2]).double()
    D = models.mlp([2, WIDTH, WIDTH, 1], 0.2).double()
    if deviation:
        D = nn.Sequential(*list(D)[:-1], BatchDeviation(), nn.Linear(WIDTH + 1, 1)).double()
    return G, D


def flat(network: nn.Module) -> list[float]:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).tolist()


# A game of PyTorch's weights, in the page.
START = """({G, D, z, width, batch, deviation}) => {
    const game = ringGame.create(ringGame.ring(), 0, {z, width, batch, deviation})
    game.G.weights.set(G)
    game.D.weights.set(D)
    return game
}"""


def start(G: nn.Module, D: nn.Module, deviation: bool) -> dict[str, Any]:
    return {"G": flat(G), "D": flat(D), "z": Z, "width": WIDTH, "batch": BATCH, "deviation": deviation}


def batches(n: int) -> list[dict[str, list[float]]]:
    source = torch.Generator().manual_seed(1)
    draw = partial(torch.randn, generator=source, dtype=torch.float64)
    return [{"real": draw(BATCH * 2).tolist(), "noise": draw(BATCH * Z).tolist()} for _ in range(n)]


@pytest.mark.parametrize("deviation", [False, True])
def test_forward_and_gradients_are_pytorchs(deviation: bool, run: Evaluate) -> None:
    G, D = pair(deviation)
    (batch,) = batches(1)
    x = torch.tensor(batch["real"], dtype=torch.float64).reshape(BATCH, 2).requires_grad_(True)
    logits = D(x)
    loss = losses.bce(logits, 0.0) * 3
    expected = torch.autograd.grad(loss, [x, *D.parameters()])
    seen = run(
        f"""({{facts, real}}) => {{
            const game = ({START})(facts), seen = ringGame.forward(game.D, Float64Array.from(real), {BATCH})
            const {{loss, delta}} = ringGame.meanSoftplus(seen.output, 1, 3)
            const back = ringGame.backward(game.D, seen, delta)
            return [[...seen.output], [...back.input], [...game.D.gradient], loss, game.D.running]
        }}""",
        {"facts": start(G, D, deviation), "real": batch["real"]},
    )
    assert seen[0] == pytest.approx(logits.flatten().tolist(), rel=1e-10)
    assert seen[1] == pytest.approx(expected[0].flatten().tolist(), rel=1e-8, abs=1e-12)
    assert seen[2] == pytest.approx(torch.cat([g.flatten() for g in expected[1:]]).tolist(), rel=1e-8, abs=1e-12)
    assert seen[3] == pytest.approx(loss.item(), rel=1e-12)
    if deviation:
        assert isinstance(D[-2], BatchDeviation)
        assert seen[4] == pytest.approx(float(D[-2].running), rel=1e-6)  # float32 there


@pytest.mark.parametrize("deviation", [False, True])
def test_r1_and_its_second_derivative_are_autograds(deviation: bool, run: Evaluate) -> None:
    G, D = pair(deviation)
    (batch,) = batches(1)
    x = torch.tensor(batch["real"], dtype=torch.float64).reshape(BATCH, 2)
    penalty = losses.r1(D, x, x, gamma=1.7)
    gradients = torch.autograd.grad(penalty, list(D.parameters()), allow_unused=True)
    expected = [torch.zeros_like(p) if g is None else g for p, g in zip(D.parameters(), gradients, strict=True)]
    value, gradient = run(
        f"""({{facts, real}}) => {{
            const game = ({START})(facts)
            return [ringGame.r1(game.D, Float64Array.from(real), {BATCH}, 1.7), [...game.D.gradient]]
        }}""",
        {"facts": start(G, D, deviation), "real": batch["real"]},
    )
    assert value == pytest.approx(penalty.item(), rel=1e-10)
    assert gradient == pytest.approx(torch.cat([g.flatten() for g in expected]).tolist(), rel=1e-8, abs=1e-12)
    assert max(map(abs, gradient)) > 1e-3


GAMES: dict[str, dict[str, Any]] = {
    "plain": {},
    "saturating, two steps of D": {"saturating": True, "dSteps": 2, "dRate": 2e-3},
    "R1": {"r1": 0.3},
    "batch deviation": {"deviation": True},
    "batch deviation and R1": {"deviation": True, "r1": 0.3, "gRate": 3e-3},
}


@pytest.mark.parametrize("name", GAMES)
def test_two_hundred_rounds_from_given_weights_and_noise_are_pytorchs(name: str, run: Evaluate) -> None:
    settings: dict[str, Any] = {"dSteps": 1, "dRate": 1e-3, "gRate": 1e-3, "saturating": False, "r1": 0} | GAMES[name]
    deviation = settings.pop("deviation", False)
    G, D = pair(deviation)
    facts, rounds = start(G, D, deviation), 200
    drawn = batches(rounds * settings["dSteps"])
    optimizers = [
        torch.optim.Adam(net.parameters(), settings[rate], BETAS) for net, rate in ((G, "gRate"), (D, "dRate"))
    ]
    objective = losses.minimax if settings["saturating"] else losses.non_saturating
    penalty = partial(losses.r1, gamma=settings["r1"]) if settings["r1"] else None
    lost = []
    for number in range(rounds):
        for batch in drawn[number * settings["dSteps"] : (number + 1) * settings["dSteps"]]:
            real, z = (torch.tensor(batch[key], dtype=torch.float64).reshape(BATCH, -1) for key in ("real", "noise"))
            fake = G(z)
            d_loss = discriminator_step(D, optimizers[1], objective, real, fake.detach(), penalty)
        lost.append([float(d_loss), float(generator_step(G, D, optimizers[0], objective, fake))])
    seen = run(
        f"""({{facts, settings, drawn, rounds}}) => {{
            const game = ({START})(facts), k = settings.dSteps, lost = []
            for (let number = 0; number < rounds; number++) {{
                ringGame.round(game, {{...ringGame.SETTINGS, ...settings}}, drawn.slice(number * k, (number + 1) * k))
                lost.push([game.dLoss, game.gLoss])
            }}
            return [[...game.G.weights], [...game.D.weights], lost]
        }}""",
        {"facts": facts, "settings": settings, "drawn": drawn, "rounds": rounds},
    )
    assert np.abs(np.array(seen[0]) - flat(G)).max() < 1e-4
    assert np.abs(np.array(seen[1]) - flat(D)).max() < 1e-4
    assert np.abs(np.array(seen[2]) - lost).max() < 1e-4
    assert np.abs(np.array(facts["D"]) - flat(D)).max() > 0.05  # they have moved


def test_modes_reverse_divergence_and_floor_are_those_of_the_package(run: Evaluate) -> None:
    ring = toys.ring(std=0.05)
    points = torch.cat([ring.sample(900), torch.randn(300, 2)]).double()
    keep = (points - ring.means[2].double()).norm(dim=1) > 0.5  # a mode is lost,
    keep &= ((points - ring.means[5].double()).norm(dim=1) > 0.3) | (torch.arange(len(points)) % 4 == 0)  # one thinned
    points = points[keep]
    tally = modes.tally(points, ring.means, ring.stds)
    seen = run(
        "points => ringGame.measures(Float64Array.from(points), ringGame.ring(8, 0.05))", points.flatten().tolist()
    )
    captured = modes.expected_share(tally.good, tally.n, ring.weights)
    assert (seen["nearest"], seen["good"]) == (tally.nearest.tolist(), tally.good.tolist())
    assert seen["captured"] == captured.tolist() == [True, True, False, True, True, False, True, True]
    assert seen["reverseKL"] == pytest.approx(modes.reverse_kl(tally.nearest, ring.weights), rel=1e-6)
    assert seen["floor"] == pytest.approx(modes.kl_floor(8, tally.n))


def test_the_pages_ring_and_noise_have_the_moments_of_the_packages(run: Evaluate) -> None:
    points, normal = run(
        """() => { const chance = ringGame.random(3)
            return [[...ringGame.ring(8, 0.05).sample(20000, chance)], [...ringGame.normals(chance, 40000)]] }"""
    )
    cloud, z = np.array(points).reshape(-1, 2), np.array(normal)
    assert abs(cloud.mean(0)).max() < 0.03  # 4 standard errors of .71 / sqrt(20,000) are .02
    assert abs((cloud**2).sum(1).mean() - (1 + 2 * 0.05**2)) < 0.005
    assert abs(z.mean()) < 0.02
    assert abs(z.var() - 1) < 0.03
    assert abs((z**4).mean() - 3) < 0.2


def test_only_one_player_moves_where_only_one_is_asked(run: Evaluate) -> None:
    moved = run(
        """() => ["onlyD", "onlyG", "round"].map(move => {
            const game = ringGame.create(ringGame.ring(), 0), before = [[...game.G.weights], [...game.D.weights]]
            ringGame[move](game, ringGame.SETTINGS)
            return [game.G, game.D].map((network, k) => network.weights.some((weight, j) => weight !== before[k][j]))
        })"""
    )
    assert moved == [[False, True], [True, False], [True, True]]


def test_each_move_draws_new_points_and_new_noise(run: Evaluate) -> None:
    first, second = run(
        """() => { const game = ringGame.create(ringGame.ring(), 0)
            return [0, 1].map(() => { const {real, noise} = ringGame.drawn(game); return [[...real], [...noise]] }) }"""
    )
    assert [len(part) for part in first] == [2 * 64, 8 * 64]
    assert all(set(a).isdisjoint(b) for a, b in zip(first, second, strict=True))


def test_to_look_at_a_game_does_not_change_it(run: Evaluate) -> None:
    same = run(
        """() => { const games = [0, 1].map(() => ringGame.create(ringGame.ring(), 4, {deviation: true}))
            const chance = ringGame.random(9)
            for (let k = 0; k < 5; k++) {
                for (const game of games) ringGame.round(game, ringGame.SETTINGS)
                ringGame.opinion(games[0], ringGame.forge(games[0], 50, chance))
            }
            return games[0].G.weights.every((weight, k) => weight === games[1].G.weights[k])
                && games[0].D.running === games[1].D.running }"""
    )
    assert same is True


# --- generators -----------------------------------------------------------------------------------------------------


def drawn(run: Evaluate, text: str, z: Tensor) -> np.ndarray:
    """The images that the page makes of z (n, dim): (n, h, w, c) from 0 to 1."""
    facts = json.loads(text.partition(" = ")[2])
    made = run(
        f"""({{facts, z}}) => {{ const generator = ganLessons.networks.ready(facts)
            return z.map(each => {AS_TEXT}(new Uint8Array(generator.draw(each).buffer))) }}""",
        {"facts": facts, "z": z.tolist()},
    )
    c, h, w = facts["shape"]
    return np.frombuffer(b"".join(map(b64decode, made)), np.float32).reshape(len(z), h, w, c)


def images(G: nn.Module, z: Tensor, shape: list[int], limits: list[float]) -> np.ndarray:
    with torch.no_grad():
        values = G(z).reshape(len(z), *shape)
    black, white = limits
    return ((values - black) / (white - black)).clamp(0, 1).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("name", zoo.names())
def test_a_stored_generator_draws_in_the_page_what_it_draws_in_pytorch(name: str, run: Evaluate) -> None:
    G, prior, card = zoo.load(name)
    z = prior.sample(100, generator=torch.Generator().manual_seed(1))
    text = script(name)
    expected = images(G, z, card.shape, card.range)
    off = 255 * np.abs(drawn(run, text, z) - expected)
    assert expected.std() > 0.1
    if json.loads(text.partition(" = ")[2])["bits"] == 16:
        assert off.max() < 1
    else:  # rounded, so that a page stays light
        assert (off < 1).mean() > 0.97
        assert np.sqrt((off**2).mean()) < 0.4


def enlarged(factor: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(5, 18), Maps(3), nn.Upsample(scale_factor=factor, mode="bilinear"), nn.Conv2d(2, 1, 1)),
        nn.Tanh(),
    )


def networks() -> dict[str, tuple[nn.Sequential, list[int]]]:
    torch.manual_seed(0)
    dcgan = partial(convolutions.dcgan_generator, init=convolutions.keep_init)
    return {
        "MLP with a sigmoid": (models.mlp_generator((16,), z_dim=5), [1, 28, 28]),
        "MLP in colour": (models.mlp_generator((16,), z_dim=5, outputs=48, slope=0.2, signed=True), [3, 4, 4]),
        "strong DCGAN": (dcgan(28, 4, 1, 5, deep=True), [1, 28, 28]),
        "DCGAN in colour": (dcgan(16, 4, 3, 5, deep=True), [3, 16, 16]),
        "no norm, no strides, hidden": (dcgan(28, 4, 1, 5, norm=False, strides=False, hidden=9), [1, 28, 28]),
        "colour": (colour.colour_generator(8, (4, 6, 8), 3, 5), [3, 8, 8]),
        "twice, bilinearly": (enlarged(2), [1, 6, 6]),
        "three times, bilinearly": (enlarged(3), [1, 9, 9]),
    }


@pytest.mark.parametrize("kind", list(networks()))
def test_every_kind_of_generator_is_the_same_in_the_page(kind: str, run: Evaluate) -> None:
    G, shape = networks()[kind]
    with torch.no_grad():
        for part in G.modules():  # weights that are not tiny, statistics of a game that has been played
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                part.reset_parameters()
            if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
                part.running_mean.normal_(0, 0.3)
                part.running_var.uniform_(0.2, 2)
                part.weight.normal_(1, 0.3)
                part.bias.normal_(0, 0.3)
    G.eval()
    limits = [0.0, 1.0] if isinstance(G[-1], nn.Sigmoid) else [-1.0, 1.0]
    card = {"layers": live.plan(G), "shape": shape, "range": limits, "prior": {"name": "gaussian", "dim": 5}}
    z = torch.randn(4, 5)
    expected = images(G, z, shape, limits)
    made = drawn(run, live.script("x", card, packed_weights(G.state_dict(), torch.float32)), z)
    assert np.abs(255 * (made - expected)).max() < 0.5
    assert expected.std() > 0.003


@pytest.mark.parametrize("bits", [8, 9, 10, 13, 16, 32])
def test_rounded_weights_come_back_within_half_a_step(bits: int, run: Evaluate) -> None:
    values = np.random.default_rng(0).normal(size=(5, 7)) * np.array([[1], [10], [0.1], [3], [0]])
    seen = np.array(
        run(
            "tensor => [...ganLessons.networks.numbers(tensor)]",
            live._text(live.Values((5, 7), values.ravel().tolist()), bits),
        )
    )
    top = np.abs(values).max(1, keepdims=True)
    step = {16: top / 1024, 32: top / 2**23}.get(bits, top / (2 ** (bits - 1) - 1))
    assert (np.abs(seen.reshape(5, 7) - values) <= 0.51 * step + 1e-12).all()


def test_halves_are_read_to_the_bit(run: Evaluate) -> None:
    values = np.array([0, 1e-7, -6e-8, 5e-5, -6.2e-5, 1, -0.1, 65504], np.float16).astype(float)
    tensor = live._text(live.Values((8,), values.tolist()), 16)
    assert run("tensor => [...ganLessons.networks.numbers(tensor)]", tensor) == values.tolist()


@pytest.mark.parametrize("walk", ["lerp", "slerp"])
def test_walks_are_those_of_the_package(walk: str, run: Evaluate) -> None:
    torch.manual_seed(0)
    a, b = torch.randn(1, 9), torch.randn(1, 9)
    for start_, stop in ((a, b), (a, a * 1.5)):
        for t in (0.0, 0.3, 1.0):
            seen = run(
                "({walk, a, b, t}) => ganLessons.networks[walk](a, b, t)",
                {"walk": walk, "a": start_[0].tolist(), "b": stop[0].tolist(), "t": t},
            )
            assert seen == pytest.approx(getattr(noise, walk)(start_, stop, t)[0].tolist(), abs=1e-5)


@pytest.mark.parametrize("name", list(zoo.PRIORS))
def test_noise_of_each_prior_has_its_moments(name: str, run: Evaluate) -> None:
    z = np.array(
        run(
            """prior => { const chance = ringGame.random(1)
                return Array.from({length: 3000}, () => [...ganLessons.networks.noise(prior, chance)]) }""",
            {"name": name, "dim": 6},
        )
    )
    expected = zoo.PRIORS[name](6).sample(100_000, generator=torch.Generator().manual_seed(0))
    assert z.mean() == pytest.approx(float(expected.mean()), abs=0.03)
    assert (z**2).mean() == pytest.approx(float(expected.square().mean()), abs=0.05)
    assert np.linalg.norm(z, axis=1).std() == pytest.approx(float(expected.norm(dim=1).std()), abs=0.05)


def test_a_label_stands_at_the_end_of_z_and_noise_draws_all_equally_often(run: Evaluate) -> None:
    assert run("z => [...ganLessons.networks.told(z, 2, 4)]", [0.5, -1]) == [0.5, -1, 0, 0, 1, 0]
    z = np.array(
        run(
            """() => { const chance = ringGame.random(1), prior = {name: "gaussian", dim: 3, classes: 4}
                return Array.from({length: 4000}, () => [...ganLessons.networks.noise(prior, chance)]) }"""
        )
    )
    assert z.shape == (4000, 7)
    assert (z[:, 3:].sum(1) == 1).all()
    assert z[:, 3:].mean(0) == pytest.approx([0.25] * 4, abs=0.03)


def test_steering_sets_the_coordinate_along_a_direction_and_leaves_all_others(run: Evaluate) -> None:
    ways = torch.linalg.qr(torch.randn(6, 2, generator=torch.Generator().manual_seed(0)).double()).Q.T
    z = torch.randn(6, generator=torch.Generator().manual_seed(1)).double()
    named, values = dict(zip(("slant", "thickness"), ways.tolist(), strict=True)), {"slant": 2.5, "thickness": -1}
    moved = torch.tensor(
        run(
            "({z, ways, values}) => [...ganLessons.networks.steered(z, ways, values)]",
            {"z": z.tolist(), "ways": named, "values": values},
        ),
        dtype=torch.float64,
    )
    assert (ways @ moved).tolist() == pytest.approx([2.5, -1])
    rest = torch.eye(6).double() - ways.T @ ways
    assert (rest @ moved).tolist() == pytest.approx((rest @ z).tolist())


@pytest.mark.parametrize("change", [{"format": 2}, {"layers": [{"kind": "attention"}]}])
def test_what_the_page_cannot_read_is_named(change: dict[str, Any], run: Evaluate) -> None:
    facts = {"format": 1, "name": "mine", "shape": [1, 1, 1], "range": [0, 1], "prior": {"dim": 1}, "layers": []}
    message = run(
        "facts => { try { ganLessons.networks.ready(facts) } catch (error) { return error.message } }", facts | change
    )
    assert "mine" in message
    assert ("export it again" in message) or ("attention" in message and "transposed" in message)


# --- export ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", zoo.names())
def test_the_card_of_a_stored_generator_has_its_layers_and_the_page_of_the_book_its_weights(name: str) -> None:
    G, _, card = zoo.load(name)
    remedy = f"run `python -m gan_lessons export {name} --keep --out /dev/null.js`"
    assert card.layers == live.plan(G), remedy
    weights = (shipped("weights") / f"{name}.safetensors").read_bytes()
    text = script(name)
    if zoo.discriminator(name) is None:  # else tests/test_opinions.py holds the pair
        assert text == live.script(name, card._asdict(), weights)
    assert len(text) < 985_000


def test_the_weights_are_those_that_safetensors_reads() -> None:
    from safetensors import safe_open

    path = shipped("weights") / "dcgan-mnist.safetensors"
    ours = live.tensors(path.read_bytes())
    with safe_open(path, "pt") as file:
        theirs = {key: file.get_tensor(key) for key in file.keys() if file.get_tensor(key).is_floating_point()}  # noqa: SIM118
    assert ours.keys() == theirs.keys()
    for key, tensor in theirs.items():
        assert ours[key] == (tuple(tensor.shape), tuple(tensor.double().flatten().tolist()))


def test_damaged_weights_are_refused() -> None:
    sound = (shipped("weights") / "dcgan-mnist.safetensors").read_bytes()
    for damaged in (b"", b"not weights at all", sound[:5000], struct.pack("<Q", 10**9) + sound[8:]):
        with pytest.raises(ValueError, match="no sound file of weights"):
            live.tensors(damaged)


def own(folder: Path, hidden: tuple[int, ...] = (8,)) -> None:
    G = models.mlp_generator(hidden, z_dim=4)
    facts = {"chapter": "mine", "data": "mine", "steps": 1, "seconds": 1, "scores": {}}
    zoo.save(
        "mine",
        G,
        noise.gaussian(4),
        builder=models.mlp_generator,
        arguments={"hidden": hidden, "z_dim": 4},
        folder=folder,
        **facts,  # type: ignore[arg-type]
    )


def test_export_writes_the_script_of_a_generator_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(tmp_path)
    assert main(["export", str(tmp_path / "mine"), "--out", str(tmp_path / "page.js")]) == 0
    assert "mine" in capsys.readouterr().out
    text = (tmp_path / "page.js").read_text()
    assert text == zoo.script("mine", tmp_path)
    assert "directions" not in text
    assert text.startswith('((globalThis.ganLessons ??= {}).generators ??= {})["mine"] = {"format":1')


def test_a_script_of_a_generator_by_label_has_its_classes_and_directions() -> None:
    card = zoo.card("cdcgan-mnist")
    facts = json.loads(script("cdcgan-mnist").partition(" = ")[2])
    assert facts["prior"] == {"name": "gaussian", "dim": 64, "classes": 10}
    assert facts["directions"] == card.directions
    assert [len(way) for way in facts["directions"].values()] == [64, 64]


def test_export_keeps_the_layers_in_a_card_that_had_none(tmp_path: Path) -> None:
    own(tmp_path)
    card = json.loads((tmp_path / "mine.json").read_text())
    layers = card.pop("layers")
    (tmp_path / "mine.json").write_text(json.dumps(card))
    assert main(["export", str(tmp_path / "mine"), "--out", str(tmp_path / "page.js")]) == 0
    assert zoo.card("mine", tmp_path).layers is None
    with pytest.raises(ValueError, match=r"has no layers: .*export mine --keep"):
        live.script("mine", card, b"")
    assert main(["export", str(tmp_path / "mine"), "--keep", "--out", str(tmp_path / "page.js")]) == 0
    assert zoo.card("mine", tmp_path).layers == layers == live.plan(zoo.load("mine", tmp_path).G)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (["unheard-of"], "no stored generator 'unheard-of'; have best-mnist, cdcgan"),
        (["no-folder/mine"], "no folder no-folder; give FOLDER/NAME"),
        (["dcgan-mnist", "--out", "folder.js"], "folder.js"),
    ],
)
def test_a_bad_request_ends_in_a_clear_error_and_code_2(
    request_: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.js").mkdir()
    assert main(["export", *request_]) == 2
    assert words in capsys.readouterr().err


def test_export_refuses_another_ending(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["export", "dcgan-mnist", "--out", "page.html"])
    assert "must end in .js" in capsys.readouterr().err


@pytest.mark.parametrize(
    "part",
    [
        nn.Conv2d(2, 2, 3, groups=2),
        nn.Conv2d(1, 1, (3, 5)),
        nn.ConvTranspose2d(1, 1, 3, 2, output_padding=1),
        nn.Upsample(scale_factor=2, mode="bicubic"),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        nn.Upsample(scale_factor=1.5, mode="bilinear"),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.GELU(),
    ],
    ids=repr,
)
def test_a_layer_that_no_page_can_draw_is_refused_by_name(part: nn.Module) -> None:
    with pytest.raises(ValueError, match=f"cannot draw the layer 0, {type(part).__name__}"):
        live.plan(nn.Sequential(part))


def test_a_generator_too_large_for_a_page_is_refused() -> None:
    G = models.mlp_generator((900,), z_dim=100)
    card = {"layers": live.plan(G), "shape": [1, 28, 28], "range": [0, 1], "prior": {"name": "gaussian", "dim": 100}}
    with pytest.raises(ValueError, match="too many for a page"):
        live.script("big", card, packed_weights(G.state_dict(), torch.float16))


def test_scales_are_halves_that_are_no_smaller_and_as_near_as_halves_are() -> None:
    exact = [0.000390625, 0.0123456, 1.0, 17.3]
    halves, bits = live._scales(exact)
    assert bits == 16
    for half, scale in zip(halves, exact, strict=True):
        assert scale <= half <= scale * (1 + 2**-10)
        assert float(np.float16(half)) == half
    assert halves[2] == 1.0
    for fine in ([1e-6, 1.0], [7e4]):  # no normal half
        assert live._scales(fine) == (fine, 32)
