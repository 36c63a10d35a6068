"""Chapter 04: its loop by hand is the library's loop, its pendulum swings as it says, and its checkers know why."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gan_lessons import GAN, losses, models, noise, theory, toys, train
from gan_lessons.exercises import Verdict, ch04
from tests.chapters import assert_listed_right, assert_listed_wrong, assert_wrong, by_hand, difference
from tests.right_answers.ch04 import RIGHT
from tests.wrong_answers.ch04 import WRONG

NOTEBOOK = Path(__file__).parent.parent / "book" / "04_gan_in_1d.ipynb"
CHECKS: dict[int, Callable[..., Verdict]] = {number: getattr(ch04, f"check_{number}") for number in range(1, 7)}
PERIOD = 4 * math.pi / 0.03
Function = Callable[..., Any]


def game() -> tuple[GAN, Iterator[tuple[Tensor]]]:
    torch.manual_seed(0)
    prior = noise.Prior("uniform", 1, lambda *size, **where: 2 * torch.rand(*size, dtype=torch.float64) - 1)
    gan = GAN(models.mlp([1, 8, 1]).double(), models.mlp([1, 8, 1], slope=0.2).double(), prior)
    generator = torch.Generator().manual_seed(1)

    def batches() -> Iterator[tuple[Tensor]]:
        while True:
            yield (4 + 0.5 * torch.randn(16, 1, generator=generator, dtype=torch.float64),)

    return gan, batches()


@pytest.mark.parametrize("k", [1, 5])
def test_the_dance_by_hand_and_the_library_end_in_equal_weights(k: int) -> None:
    (hand, batches), (ours, our_batches) = game(), game()
    seen: list[int] = []
    torch.manual_seed(7)
    by_hand("04_gan_in_1d", torch=torch, F=F)["dance"](
        hand.G, hand.D, batches, 25, hand.prior.sample, lambda n, G, D: seen.append(n), k=k, lr=3e-3
    )

    g_optimizer, d_optimizer = (
        torch.optim.Adam(net.parameters(), 3e-3, betas=(0.5, 0.999)) for net in (ours.G, ours.D)
    )
    torch.manual_seed(7)
    for _ in train(
        ours,
        our_batches,
        25,
        objective=losses.minimax,
        g_optimizer=g_optimizer,
        d_optimizer=d_optimizer,
        d_steps=k,
    ):
        pass

    assert difference(hand.G, ours.G) < 1e-9
    assert difference(hand.D, ours.D) < 1e-9
    fresh, _ = game()
    assert difference(hand.G, fresh.G) > 1e-3  # and not because nothing moved
    assert difference(hand.D, fresh.D) > 1e-3
    assert seen == list(range(26))  # the camera sees the start and each round


def test_the_stored_film_has_sixty_frames_and_a_description_and_is_small() -> None:
    outputs = [out for cell in nbformat.read(NOTEBOOK, as_version=4).cells for out in cell.get("outputs", [])]
    pages = [out["data"]["text/html"] for out in outputs if "text/html" in out.get("data", {})]
    films = [page for page in pages if 'class="film"' in page]
    lengths = [int(re.findall(r'<input type="range" min="0" max="(\d+)"', page)[0]) + 1 for page in films]
    assert max(lengths) >= 60
    assert min(lengths) >= 40
    for page in films:
        assert len(page.encode()) < 400_000
        assert len(re.findall(r'<img [^>]*alt="([^"]+)"', page)[0]) > 100


@pytest.mark.parametrize(("s_p", "s_q"), [(0.0, 0.0), (0.5, 0.5), (0.5, 0.1)])
def test_the_slopes_of_the_pendulum_are_those_of_the_value(s_p: float, s_q: float) -> None:
    shape = torch.special.ndtri((torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000)
    theta, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.02, -0.03))
    V = F.logsigmoid(w * s_p * shape).mean() + F.logsigmoid(-w * (theta + s_q * shape)).mean()
    dw, dtheta = torch.autograd.grad(V, (w, theta))
    assert float(dw) == pytest.approx(-0.02 / 2 + 0.03 * (s_p**2 + s_q**2) / 4, abs=2e-5)
    assert float(dtheta) == pytest.approx(0.03 / 2, abs=2e-5)


def phase_of(q_mean: float, q_std: float, opinion: Callable[[Tensor], Tensor]) -> str:
    """What the chapter's criteria call a moment with the given heap, and with opinion(best logits) as the officer."""
    edges = torch.linspace(-2, 8, 501, dtype=torch.float64)
    x = (edges[1:] + edges[:-1]) / 2
    log_p, log_q = (toys.mixture([m], s).log_density(x[:, None]) for m, s in ((4.0, 0.5), (q_mean, q_std)))
    p, q = log_p.exp(), log_q.exp()
    logits = opinion(log_p - log_q)
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells]
    (source,) = (text for text in sources if "def phases(" in text)
    names: dict[str, Any] = {"theory": theory, "x": x, "p": p, "LOG4": math.log(4)}
    exec(source[: source.index("\n\n\nkind,")], names)  # the names and the function, without the film
    state = {
        "q": q[None],
        "D": torch.sigmoid(logits)[None],
        "best": (p / (p + q))[None],
        "V": theory.value(p, q, logits, x)[None],
        "js": theory.js_quadrature(p, q, x)[None],
    }
    return names["NAMES"][int(names["phases"](state)[0])]


@pytest.mark.parametrize(
    ("q_mean", "q_std", "opinion", "phase"),
    [
        (1.0, 0.3, lambda best: best, "far"),
        (3.6, 0.4, torch.zeros_like, "undecided"),  # a coin is not partly right
        (3.6, 0.4, lambda best: 0.05 * best, "undecided"),
        (3.6, 0.4, lambda best: 0.3 * best, "a"),
        (3.6, 0.4, lambda best: best, "b"),
        (4.0, 0.5, torch.zeros_like, "d"),
        (3.6, 0.4, lambda best: 2.4 * best, "undecided"),  # far from a shrug, and still worth no more than a coin
        (3.6, 0.4, lambda best: -0.3 * best, "fooled"),
    ],
)
def test_the_criteria_ask_more_of_the_officer_than_a_coin_has(
    q_mean: float, q_std: float, opinion: Callable[[Tensor], Tensor], phase: str
) -> None:
    assert phase_of(q_mean, q_std, opinion) == phase


@pytest.mark.parametrize("answer", [1 / 0.6, np.float32(5 / 3), torch.tensor([1.6667]), 1.7])
def test_exercise_1_takes_the_density(answer: Any) -> None:
    assert ch04.check_1(answer).correct is True


def test_the_density_of_exercise_1_is_that_of_the_push_forward() -> None:
    edges = torch.tensor([3.0899, 3.0901], dtype=torch.float64)
    q = theory.push_forward(lambda z: 3 + z**2, edges, theory.uniform_cdf, (-1, 1), 20_000)
    assert float(q) == pytest.approx(1 / 0.6, rel=1e-3)


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (0.5 / 0.6, "one root"),
        (2 / 0.6, "p_z is 1/2"),
        (0.6, "divide by it"),
        (1 / 6.18, "taken at z"),
        (0.0, "cancel"),
        (2, "rounded too much"),
        (1.6, "Find all z"),  # 4 % off
        (math.nan, "it is nan"),
        ("1.67", "should be a number"),
    ],
)
def test_exercise_1_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch04.check_1(answer), pointer)


def test_the_ways_of_exercise_3_are_the_slopes_of_the_best_logit() -> None:
    x = torch.tensor([3.0, 3.6], dtype=torch.float64, requires_grad=True)
    a = -2 * (x - 4) ** 2 + 8 * (x - 3.5) ** 2 + math.log(0.25 / 0.5)
    assert float(torch.sigmoid(a[0]).detach()) == pytest.approx(1 / 3)
    (slope,) = torch.autograd.grad(a.sum(), x)
    assert ch04.check_3((1 / 3, *torch.sign(slope).tolist())).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ((2 / 3, -1, 1), "forged"),
        ((0.5, -1, 1), "narrower heap"),
        ((0.9, -1, 1), "Put x = 3"),
        ((0.3, -1, 1), "rounded too much"),
        ((0.32, -1, 1), "Put x = 3"),  # 4 % off
        ((-math.log(2), -1, 1), "logit"),
        ((1 / 3, "left", "up"), "The answer should be (D, way, way)"),
        (("a third", -1, 1), "The answer should be (D, way, way)"),
        ((1 / 3, 1, 1), "Not all notes"),
        ((1 / 3, 1, -1), "Which sign"),
        ((1 / 3, -4, 3.2), "+1 (to the right)"),
        ((1 / 3, -1), "it holds 2"),
        (1 / 3, "it is a float"),
    ],
)
def test_exercise_3_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch04.check_3(answer), pointer)


@pytest.mark.parametrize("fresh", [False, True])
def test_exercise_2_takes_old_and_new_forgeries(fresh: bool) -> None:
    assert ch04.check_2(ch04._a_round(fresh=fresh)).correct is True


def with_bce(G: Any, D: Any, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int) -> None:
    bce = F.binary_cross_entropy_with_logits
    for _ in range(k):
        x, z = draw_x(), draw_z()
        fake = G(z)
        a, b = D(x), D(fake.detach())
        d_optimizer.zero_grad()
        (bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b))).backward()
        d_optimizer.step()
    G.zero_grad()
    (-bce(D(fake), torch.zeros_like(b))).backward()
    g_optimizer.step()


def test_exercise_2_takes_cross_entropy_too() -> None:
    assert ch04.check_2(with_bce).correct is True


def with_probabilities(
    G: Any, D: Any, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int
) -> None:
    for _ in range(k):
        fake = G(draw_z())
        d_optimizer.zero_grad()
        (-D(draw_x()).sigmoid().log().mean() - (1 - D(fake.detach()).sigmoid()).log().mean()).backward()
        d_optimizer.step()
    g_optimizer.zero_grad()
    (1 - D(fake).sigmoid()).log().mean().backward()
    g_optimizer.step()


def d_alone(G: Any, D: Any, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int) -> None:
    for _ in range(k):
        d_optimizer.zero_grad()
        (-F.logsigmoid(D(draw_x())).mean() - F.logsigmoid(-D(G(draw_z()).detach())).mean()).backward()
        d_optimizer.step()


def g_alone(G: Any, D: Any, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int) -> None:
    g_optimizer.zero_grad()
    F.logsigmoid(-D(G(draw_z()))).mean().backward()
    g_optimizer.step()


def whole_value(new_forgeries: bool) -> Function:
    """G goes down all of V, on a fresh draw_x(): the same gradient, but the real notes are never D's."""

    def one_round(
        G: Any, D: Any, draw_x: Function, draw_z: Function, d_optimizer: Any, g_optimizer: Any, k: int
    ) -> None:
        for _ in range(k):
            fake = G(draw_z())
            V = F.logsigmoid(D(draw_x())).mean() + F.logsigmoid(-D(fake.detach())).mean()
            d_optimizer.zero_grad()
            (-V).backward()
            d_optimizer.step()
        fake = G(draw_z()) if new_forgeries else fake
        g_optimizer.zero_grad()
        (F.logsigmoid(D(draw_x())).mean() + F.logsigmoid(-D(fake)).mean()).backward()
        g_optimizer.step()

    return one_round


@pytest.mark.parametrize(
    ("one_round", "pointer"),
    [
        (lambda *all: ch04._a_round(g_moves=all[-1])(*all), "G moves k times"),
        (ch04._a_round(d_moves=1), "D moves once"),
        (ch04._a_round(clear=False), "pile up"),
        (ch04._a_round(g_clear=False), "G's gradients pile up"),
        (ch04._a_round(g_first=True), "G moves before D"),
        (ch04._a_round(sign=0.5), "D goes down half"),
        (ch04._a_round(g_sign=0.5, fresh=True), "G goes down half"),
        (ch04._a_round(sign=0.5, g_sign=0.5), "V has no halves"),
        (ch04._a_round(sign=16), "D takes sums"),
        (ch04._a_round(g_sign=16), "G takes sums"),
        (ch04._a_round(sign=16, g_sign=16), "16 times the money"),
        (lambda G, D, *all: (ch04._a_round()(G, D, *all), D.requires_grad_(False)), "D is left unable to learn"),
        (lambda G, D, *all: (ch04._a_round()(G, D, *all), G.eval()), "G is left in eval mode"),
        (with_probabilities, "log space"),
        (ch04._a_round(sign=-1), "D moves the wrong way"),
        (ch04._a_round(g_sign=-1), "G moves the wrong way"),
        (ch04._a_round(non_saturating=True), "the other game"),
        (ch04._a_round(non_saturating=True, fresh=True), "the other game"),
        (ch04._a_round(g_sign=-1, fresh=True), "G moves the wrong way"),
        (ch04._a_round(g_clear=False, fresh=True), "G's gradients pile up"),
        (ch04._a_round(same=True), "draw new ones"),
        (ch04._a_round(leak=True), "G's backward leaves"),
        (whole_value(new_forgeries=False), "new real notes for G"),
        (whole_value(new_forgeries=True), "new real notes for G"),
        (d_alone, "G does not"),
        (g_alone, "D does not"),
        (lambda *a: 1, "stand where they stood"),
        (lambda G, D: 1, "raised TypeError"),
    ],
)
def test_exercise_2_points_at_the_mistake(one_round: Function, pointer: str) -> None:
    assert_wrong(ch04.check_2(one_round), pointer)


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({"A": "k5 fast", "B": "k1 slow", "C": "k5 slow"}, "2 of 3 wrong. A"),
        ({"A": "k5 slow", "B": "k1 plain", "C": "k5 fast"}, "1 of 3 wrong. B"),
        ({"A": "k5", "B": "k1 slow", "C": "k5 fast"}, "no game of Section 4"),
        ({"A": "k5 slow"}, "there is no 'B'"),
    ],
)
def test_exercise_4_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch04.check_4(answer), pointer)
    assert ch04.check_4(ch04.GAMES).correct is True


def test_the_period_of_exercise_5_is_that_of_the_game() -> None:
    theta, w, crossings = 0.01, 0.0, []
    for number in range(2000):
        w += 0.09 * -theta / 2
        after = theta + 0.01 * w / 2
        if theta > 0 >= after:
            crossings.append(number)
        theta = after
    period = crossings[-1] - crossings[-2]
    assert period == pytest.approx(PERIOD, rel=0.01)
    assert ch04.check_5(period).correct is True


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        (PERIOD / 2, "a factor 2"),
        (4 * math.pi / 0.05, "not their average"),
        (4 * math.pi / 0.10, "not their sum"),
        (4 * math.pi / 0.0009, "The root"),
        (4 * math.pi / 0.09, "D's rate alone"),
        (1 / PERIOD, "inverse"),
        (150, "Differentiate"),
        (400, "rounded too much"),
    ],
)
def test_exercise_5_points_at_the_mistake(answer: Any, pointer: str) -> None:
    assert_wrong(ch04.check_5(answer), pointer)


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({"d_lr": 1e-3}, "there is no 'g_lr'"),
        ({"d_lr": 1e-3, "g_lr": "1e-3", "beta1": 0.5}, "under 'g_lr'"),
        ({"d_lr": -1e-3, "g_lr": 1e-3, "beta1": 0.5}, "above 0"),
        ({"d_lr": 1e-3, "g_lr": 1e-3, "beta1": 1.0}, "beta1 in"),
    ],
)
def test_exercise_6_refuses_what_is_no_setting(answer: Any, pointer: str) -> None:
    assert_wrong(ch04.check_6(answer), pointer)


@pytest.mark.parametrize(
    ("js", "swing", "correct", "pointer"),
    [
        (0.20, 0.10, True, "Right."),
        (0.20, 0.213, True, "Right."),  # the chapter's own game: four games are few
        (0.20, 0.30, False, "still swings"),
        (0.40, 0.10, False, "calm, but"),
        (0.69, 0.01, False, "not there yet"),
    ],
)
def test_exercise_6_tells_apart_how_games_end(
    js: float, swing: float, correct: bool, pointer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ch04, "_calm", lambda *rates: (js, swing))
    verdict = ch04.check_6({"d_lr": 5e-3, "g_lr": 1e-3, "beta1": 0.5})
    assert verdict.correct is correct
    assert pointer in verdict.message


@pytest.mark.parametrize(
    ("d_lr", "g_lr", "beta1", "pointer"),
    [(2e-3, 2e-3, 0.5, "answer faster"), (0.01, 0.001, 0.9, "smaller beta1"), (4e-3, 2e-3, 0.5, "large enough")],
)
def test_exercise_6_blames_what_is_at_fault(
    d_lr: float, g_lr: float, beta1: float, pointer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ch04, "_calm", lambda *rates: (0.2, 0.4))
    assert_wrong(ch04.check_6({"d_lr": d_lr, "g_lr": g_lr, "beta1": beta1}), pointer)


GAME_NAMES = ("k1 slow", "k5 slow", "k1 fast", "k5 fast", "k1 two rates", "k1 plain")
NAMES = {"math": math, "np": np, "torch": torch, "F": F, "theory": theory, "games": dict.fromkeys(GAME_NAMES)}
# exercise 6 plays for seconds: the kernel run of the chapter judges it


@pytest.mark.parametrize(("exercise", "code"), [(n, code) for n in range(1, 6) for code in WRONG[n]])
def test_each_listed_wrong_answer_gets_a_pointer(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_wrong(CHECKS[exercise](names.get("one_round", names.get(f"answer_{exercise}"))), 40)


@pytest.mark.parametrize(("exercise", "code"), [(n, code) for n in range(1, 6) for code in RIGHT[n]])
def test_each_listed_right_answer_is_right(exercise: int, code: str) -> None:
    names: dict[str, Any] = dict(NAMES)
    exec(code, names)
    assert_listed_right(CHECKS[exercise](names.get("one_round", names.get(f"answer_{exercise}"))))


def test_checkers_leave_the_global_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    ch04.check_2(ch04._a_round())
    ch04._calm(1e-3, 1e-3, 0.5, seeds=2, rounds=9)
    assert torch.equal(torch.rand(3), expected)


# --- the forecasts ----------------------------------------------------------------------------------------------

FILM = {"mean": torch.tensor([0.0, 2.0, 4.5, 3.9]), "V": torch.tensor([0.0, -0.5, -1.2, -1.3])}
RISING = FILM | {"js": torch.tensor([0.69, 0.5, 0.1, 0.02])}


@pytest.mark.parametrize(
    ("farthest", "way", "correct", "pointer"),
    [
        (4.5, "rises", True, "4.50"),
        (4.3, " Rises", True, "4.50"),
        (4.0, "rises", False, "Nobody brakes"),
        (6.0, "rises", False, "You said 6"),
        (4.5, "falls", False, "the more mistakes"),
        (4.5, "stands", False, "'stands'"),
    ],
)
def test_the_forecast_of_the_film_is_held_against_the_film(
    farthest: float, way: str, correct: bool, pointer: str
) -> None:
    verdict = ch04.forecast_film({"farthest mean": farthest, "loss of D": way}, RISING)
    assert verdict.correct is correct
    assert pointer in verdict.message


def test_the_way_of_the_loss_is_taken_from_the_film() -> None:
    falling = FILM | {"js": -RISING["js"]}
    assert ch04.forecast_film({"farthest mean": 4.5, "loss of D": "falls"}, falling).correct is True
    assert_wrong(ch04.forecast_film({"farthest mean": 4.5, "loss of D": "rises"}, falling), "falls")


def test_the_forecast_of_the_games_wants_their_order_by_mean_js() -> None:
    final = {name: torch.tensor([0.1 * k, 0.3 * k]) for k, name in enumerate(GAME_NAMES)}
    assert ch04.forecast_games(["K1 slow", "k5_slow", *GAME_NAMES[2:5]], final).correct is True
    assert_wrong(ch04.forecast_games(list(GAME_NAMES[4::-1]), final), "1 of 5")
    assert_wrong(ch04.forecast_games(["k1 slow"] * 5, final), "in your list once")
    assert_wrong(ch04.forecast_games(list(GAME_NAMES[1:]), final), "in your list once")


def test_the_forecast_of_the_slope_looks_only_at_passages_to_the_right() -> None:
    mean = torch.tensor([[3.0, 5.0, 3.0, 5.0]])
    for sign in (-1, 1):
        slope = sign * torch.tensor([[1.0, 1.0, -3.0, 4.0]])  # on the way back it points the other way
        assert ch04.forecast_slope(sign, mean, slope).correct is True
        assert_wrong(ch04.forecast_slope(-sign, mean, slope), "Of 2 passages")
        assert_wrong(ch04.forecast_slope(0, mean, slope), "when does she unlearn")
    assert_wrong(ch04.forecast_slope(2, mean, mean), "Give a sign")
    assert_wrong(ch04.forecast_slope(1, mean - 4, mean), "no heap passes 4")


def test_the_forecast_of_the_losses_counts_games_at_minus_log_4() -> None:
    values = torch.tensor([-math.log(4) + off for off in (0, 0.019, -0.019, 0.021, -0.021)] * 4)
    assert ch04.forecast_losses(12, values).correct is True
    assert ch04.forecast_losses(14, values).correct is True
    assert_wrong(ch04.forecast_losses(9, values), "12 of 20")
    assert_wrong(ch04.forecast_losses(21, values), "from 0 to 20")
