"""Two typical wrong answers to each exercise of chapter 12."""

WRONG = {
    1: (
        "answer_1 = (0.0, 2 * math.log(2))",  # a soft label is never free
        "answer_1 = (-0.9 * math.log(0.9) - 0.1 * math.log(0.1), math.log(2))",  # the mean
    ),
    2: (
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    u = alpha * log_p.exp() + beta * log_q.exp()\n"
        "    v = (1 - alpha) * log_p.exp() + (1 - beta) * log_q.exp()\n"
        "    return u.log() - v.log()",  # 0 / 0 for small densities
        "def best_logit(log_p, log_q, alpha, beta):\n    return log_p - log_q",
    ),
    3: (
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return -((p + q) * (D * D.log() + (1 - D) * (1 - D).log())).sum()",  # 0 log 0
        "def floor(p, q, alpha, beta):\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    return -(p * D.log() + q * (1 - D).log()).sum()",  # hard labels
    ),
    4: (
        "def one_sided(real, fake, alpha):\n"
        "    return alpha * F.softplus(-real).mean() + F.softplus(fake).mean()",  # a weight
        "def one_sided(real, fake, alpha):\n"
        "    return F.softplus(-real).mean() + (alpha * F.softplus(fake) + (1 - alpha) * F.softplus(-fake)).mean()",
    ),
    5: (
        "answer_5 = (0.8, 0.9)",  # the slopes of D*, not of the logarithms
        "answer_5 = (0.8 * 0.01 / (0.1 + 0.8 * 0.01), 0.9)",
    ),
    6: (
        "def targets(d_loss):\n"
        "    real, fake = torch.zeros(2, 1, 1, requires_grad=True)\n"
        "    a, b = torch.autograd.grad(d_loss(real, fake), (real, fake))\n"
        "    return float(a), float(b)",  # the slopes
        "def targets(d_loss):\n"
        "    zero = torch.zeros(1, 1)\n"
        "    return float(d_loss(zero, zero)) / 2, 0.0",  # at 0 the loss is 2 log 2 for all
    ),
}
