"""Typical wrong answers to each exercise of chapter 12, three or more."""

WRONG = {
    1: (
        "answer_1 = (0.0, 2 * math.log(2))",  # a soft label is never free
        "answer_1 = (-0.9 * math.log(0.9) - 0.1 * math.log(0.1), math.log(2))",  # the mean
        "answer_1 = (0.65, 1.376)",  # of one-sided labels
        "answer_1 = (1.386, 0.65)",  # the wrong way round
        "answer_1 = np.array([0.65, 2.0])",  # in bits
    ),
    2: (
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    u = alpha * log_p.exp() + beta * log_q.exp()\n"
        "    v = (1 - alpha) * log_p.exp() + (1 - beta) * log_q.exp()\n"
        "    return u.log() - v.log()",  # 0 / 0 for small densities
        "def best_logit(log_p, log_q, alpha, beta):\n    return log_p - log_q",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    shift = log_p\n"  # overflows where q is far the larger
        "    p, q = (log_p - shift).exp(), (log_q - shift).exp()\n"
        "    return torch.log((alpha * p + beta * q) / ((1 - alpha) * p + (1 - beta) * q))",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    r = torch.sigmoid((log_p - log_q).clamp(-5, 5))\n"
        "    return torch.logit(beta + (alpha - beta) * r)",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    return torch.logit(0.1 + 0.8 * torch.sigmoid(log_p - log_q))",  # the targets of the page alone
    ),
    3: (
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return -((p + q) * (D * D.log() + (1 - D) * (1 - D).log())).sum()",  # 0 log 0
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return -(p * D.log() + q * (1 - D).log()).sum()",  # hard labels
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return ((p + q) * (torch.special.entr(D) + torch.special.entr(1 - D))).sum()",  # 0 / 0 for unseen notes
        "def floor(p, q, alpha, beta):\n"
        "    D = ((alpha * p + beta * q) / (p + q)).clamp(1e-3, 1 - 1e-3)\n"
        "    return ((p + q) * (torch.special.entr(D) + torch.special.entr(1 - D))).nansum()",  # a patch that costs
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return (torch.special.entr(D) + torch.special.entr(1 - D)).nansum()",  # without weights
    ),
    4: (
        "def one_sided(real, fake, alpha):\n"
        "    return alpha * F.softplus(-real).mean() + F.softplus(fake).mean()",  # a weight
        "def one_sided(real, fake, alpha):\n"
        "    return F.softplus(-real).mean() + (alpha * F.softplus(fake) + (1 - alpha) * F.softplus(-fake)).mean()",
        "def one_sided(real, fake, alpha):\n"
        "    on_real = alpha * F.softplus(-real) + (1 - alpha) * F.softplus(real)\n"
        "    return (on_real.mean() + F.softplus(fake).mean()).item()",  # no gradient
        "def one_sided(real, fake, alpha):\n"
        "    on_real = alpha * F.softplus(-real) + (1 - alpha) * F.softplus(real)\n"
        "    return on_real.mean() + F.softplus(fake.detach()).mean()",  # learns from the real notes only
        "def one_sided(real, fake, alpha):\n"
        "    D, E = torch.sigmoid(real), torch.sigmoid(fake)\n"
        "    return F.binary_cross_entropy(D, torch.full_like(D, alpha)) + F.binary_cross_entropy(E, 0 * E)",
        "def one_sided(real, fake, alpha):\n"
        "    real, fake = real.clamp(-50, 50), fake.clamp(-50, 50)\n"
        "    on_real = alpha * F.softplus(-real) + (1 - alpha) * F.softplus(real)\n"
        "    return on_real.mean() + F.softplus(fake).mean()",
    ),
    5: (
        "answer_5 = (0.8, 0.9)",  # the slopes of D*, not of the logarithms
        "answer_5 = (0.8 * 0.01 / (0.1 + 0.8 * 0.01), 1.0)",
        "answer_5 = (0.926, 0.899)",  # what is lost
        "answer_5 = (7.4, 89.9)",  # per cent
        "answer_5 = (0.0741, 0.9)",  # the slope alone
        "answer_5 = (0.0748, 0.899)",  # r = 1/99
    ),
    6: (
        "def targets(d_loss):\n"
        "    real, fake = torch.zeros(2, 1, 1, requires_grad=True)\n"
        "    a, b = torch.autograd.grad(d_loss(real, fake), (real, fake))\n"
        "    return float(a), float(b)",  # the slopes
        "def targets(d_loss):\n"
        "    zero = torch.zeros(1, 1)\n"
        "    return float(d_loss(zero, zero)) / 2, 0.0",  # at 0 the loss is 2 log 2 for all
        "def targets(d_loss):\n"
        "    inside = dict(zip(d_loss.__code__.co_freevars, (c.cell_contents for c in d_loss.__closure__)))\n"
        "    return inside['alpha'], inside['beta']",  # reads it
        "def targets(d_loss):\n"
        "    usual = [(a / 20, b / 20) for a in range(21) for b in range(21)]\n"
        "    real, fake = torch.tensor([[1.0]]), torch.tensor([[2.0]])\n"
        "    def miss(pair):\n"
        "        a, b = pair\n"
        "        loss = a * F.softplus(-real) + (1 - a) * F.softplus(real)\n"
        "        loss = loss + b * F.softplus(-fake) + (1 - b) * F.softplus(fake)\n"
        "        return abs(float(d_loss(real, fake)) - float(loss))\n"
        "    return min(usual, key=miss)",  # of twentieths only, and one equation for two numbers
    ),
}
