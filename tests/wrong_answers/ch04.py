"""Typical wrong answers to each exercise of chapter 04, three or more."""

ROUND = """
import torch.nn.functional as F

def one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k):
    for _ in range({d_moves}):
        real, forged = draw_x(), G(draw_z())
        V = {V}
        d_optimizer.zero_grad()
        (-V).backward()
        d_optimizer.step()
    {before_g}
    loss = {g_loss}
    {clear}
    loss.backward()
    g_optimizer.step()
"""
V = "F.logsigmoid(D(real)).{how}() + F.logsigmoid(-D(forged.detach())).{how}()"
RIGHT_ROUND = {
    "d_moves": "k",
    "V": V.format(how="mean"),
    "before_g": "pass",
    "g_loss": "F.logsigmoid(-D(forged)).mean()",
    "clear": "g_optimizer.zero_grad()",
}


def a_round(**faults: str) -> str:
    return ROUND.format(**RIGHT_ROUND | faults).strip()


WRONG = {
    1: (
        "answer_1 = 0.5 / 0.6",  # one root of two
        "answer_1 = 2 * 0.5 * 0.6",  # times the slope
        "answer_1 = 1 / 6.18",  # the slope at x
        "answer_1 = 2",  # rounded too much
    ),
    2: (
        a_round(g_loss="-F.logsigmoid(D(forged)).mean()"),  # the other game
        a_round(before_g="forged = G(draw_z())", g_loss="-F.logsigmoid(D(forged)).mean()"),  # on new forgeries
        a_round(d_moves="1"),  # k ignored
        a_round(V=f"({V.format(how='mean')}) / 2"),  # half of V
        a_round(V=V.format(how="sum"), g_loss="F.logsigmoid(-D(forged)).sum()"),  # sums
        a_round(clear="pass"),  # G's gradients pile up
        a_round(V="D(real).sigmoid().log().mean() + (1 - D(forged.detach()).sigmoid()).log().mean()"),  # overflows
        a_round(before_g="D.requires_grad_(False)"),  # and never back
    ),
    3: (
        "answer_3 = (1 / 3, +1, +1)",  # all to the real mean
        "answer_3 = (0.5, -1, +1)",  # heights forgotten
        "answer_3 = (2 / 3, -1, +1)",  # forged
        "answer_3 = (1 / 3, -4.0, 3.2)",  # slopes for ways
    ),
    4: (
        'answer_4 = {"A": "k5 fast", "B": "k1 slow", "C": "k5 slow"}',
        'answer_4 = {"A": "k5 slow", "B": "k1 plain", "C": "k5 fast"}',
        'answer_4 = {"A": "k1 slow", "B": "k5 slow", "C": "k1 fast"}',
        'answer_4 = {"A": "k5", "B": "k1", "C": "k5"}',  # no names of games
    ),
    5: (
        "import math\nanswer_5 = 4 * math.pi / 0.05",  # the mean of the rates
        "import math\nanswer_5 = 2 * math.pi / 0.03",  # the factor 2
        "answer_5 = 4 * 3.14 / (0.09 * 0.01)",  # the root forgotten
        "answer_5 = 400",  # rounded too much
    ),
    6: (
        'answer_6 = {"d_lr": 1e-3, "g_lr": 1e-3, "beta1": 0.5}',  # swings
        'answer_6 = {"d_lr": 1e-4, "g_lr": 1e-4, "beta1": 0.5}',  # slower, and no better
        'answer_6 = {"d_lr": 2e-3, "g_lr": 8e-3, "beta1": 0.5}',  # the wrong one is faster
    ),
}
