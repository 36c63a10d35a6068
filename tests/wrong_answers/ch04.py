"""Two typical wrong answers to each exercise of chapter 04."""

ROUND = """
import torch.nn.functional as F

def one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k):
    for _ in range({d_moves}):
        real, forged = draw_x(), G(draw_z())
        V = F.logsigmoid(D(real)).mean() + F.logsigmoid(-D(forged.detach())).mean()
        d_optimizer.zero_grad()
        (-V).backward()
        d_optimizer.step()
    loss = {g_loss}
    g_optimizer.zero_grad()
    loss.backward()
    g_optimizer.step()
"""

WRONG = {
    1: (
        "answer_1 = 0.5 / 0.6",  # one root of two
        "answer_1 = 2 * 0.5 * 0.6",  # times the slope
    ),
    2: (
        "answer_2 = (1 / 3, +1, +1)",  # all to the real mean
        "answer_2 = (0.5, -1, +1)",  # heights forgotten
    ),
    3: (
        ROUND.format(d_moves="k", g_loss="-F.logsigmoid(D(forged)).mean()").strip(),  # the other game
        ROUND.format(d_moves="1", g_loss="F.logsigmoid(-D(forged)).mean()").strip(),  # k ignored
    ),
    4: (
        'answer_4 = {"A": "k5 fast", "B": "k1 slow", "C": "k5 slow"}',
        'answer_4 = {"A": "k5 slow", "B": "k1 plain", "C": "k5 fast"}',
    ),
    5: (
        "import math\nanswer_5 = 4 * math.pi / 0.05",  # the mean of the rates
        "import math\nanswer_5 = 2 * math.pi / 0.03",  # the factor 2
    ),
    6: (
        'answer_6 = {"d_lr": 1e-3, "g_lr": 1e-3, "beta1": 0.5}',  # swings
        'answer_6 = {"d_lr": 1e-4, "g_lr": 1e-4, "beta1": 0.5}',  # slower, and no better
    ),
}
