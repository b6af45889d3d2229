"""Golden values for packages/perennial/src/mixture/laws: optima found by SciPy.

  python tools/golden/laws.py      writes packages/perennial/src/mixture/laws/golden/scipy.json

d-cpt      120 points of a known law with 0.2 % noise; the best of 96 L-BFGS-B starts (analytic gradient, until no progress).
power      y = a x^s + b by scipy.optimize.least_squares from the best of a grid of starts.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.optimize import least_squares, minimize

OUT = pathlib.Path(__file__).parents[2] / "packages/perennial/src/mixture/laws/golden/scipy.json"
DELTA = 1e-3


def law(theta, N, D, r):
    E, A, alpha, B, beta, eta, C, gamma, eps = np.exp(theta)
    return E + A * N**-alpha + B * np.power(r, eta) * D**-beta + C * (r + eps) ** -gamma


@np.errstate(over="ignore", invalid="ignore")  # a line search may try steps far outside
def objective(theta, N, D, r, log_loss):
    """Mean Huber loss of log residuals and its gradient in the logarithms of the nine parameters."""
    E, A, alpha, B, beta, eta, C, gamma, eps = np.exp(theta)
    log_r = np.log(np.where(r > 0, r, 1.0))
    t1 = A * N**-alpha
    t2 = B * np.power(r, eta) * D**-beta
    t3 = C * (r + eps) ** -gamma
    predicted = E + t1 + t2 + t3
    q = np.log(predicted) - log_loss
    clipped = np.clip(q, -DELTA, DELTA)
    size = np.abs(q)
    value = np.where(size <= DELTA, 0.5 * q * q, DELTA * (size - 0.5 * DELTA)).mean()
    w = clipped / predicted / len(q)
    gradient = np.array([
        E * w.sum(),
        w @ t1,
        -alpha * (w @ (np.log(N) * t1)),
        w @ t2,
        -beta * (w @ (np.log(D) * t2)),
        eta * (w @ (log_r * t2)),
        w @ t3,
        -gamma * (w @ (np.log(r + eps) * t3)),
        -gamma * eps * (w @ (t3 / (r + eps))),
    ])
    return value, gradient


def starts(min_loss):
    return [
        np.log([e * min_loss, A, x, B, x, x, C, x, eps])
        for e in (0.3, 0.9) for A in (0.1, 1) for B in (0.1, 1) for C in (0.1, 1) for x in (0.2, 0.5, 1) for eps in (0.01, 0.1)
    ]


def fit(N, D, r, loss, options={"maxiter": 2000, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-15}):
    # The objective is of the order of 1e-7, where L-BFGS-B's tolerances (absolute below 1) would stop at once: scale it up.
    scale = 1e6
    args = (N, D, r, np.log(loss))
    def scaled(theta):
        value, gradient = objective(theta, *args)
        return scale * value, scale * gradient
    best = min((minimize(scaled, start, jac=True, method="L-BFGS-B", options=options) for start in starts(loss.min())), key=lambda m: m.fun)
    return best.x, best.fun / scale


def d_cpt():
    random = np.random.default_rng(0)
    truth = np.log([1, 0.4, 0.3, 0.2, 0.3, 0.6, 0.4, 0.3, 0.05])
    N, D, r = (axis.ravel() for axis in np.meshgrid([0.5, 1.8, 4.0], [1.0, 2.0, 4.0, 8.0, 16.0], [0, 0.1, 0.2, 0.33, 0.5, 0.67, 0.9, 1], indexing="ij"))
    loss = law(truth, N, D, r) * np.exp(2e-3 * random.standard_normal(len(N)))
    theta, value = fit(N, D, r, loss)
    points = [{"modelSize": n, "tokens": d, "ratio": s, "loss": l} for n, d, s, l in zip(N.tolist(), D.tolist(), r.tolist(), loss.tolist())]
    return {"points": points, "objective": value, "predictionAt_2_20_0.4": float(law(theta, 2.0, 20.0, 0.4))}


def power():
    random = np.random.default_rng(1)
    x = np.array([0.125, 0.25, 0.33, 0.5, 0.75, 1.0])
    y = -0.4 * x**0.18 + 1.9 + 1e-4 * random.standard_normal(len(x))
    runs = [least_squares(lambda p: p[0] * x ** p[1] + p[2] - y, [a, s, 1], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10000) for a in (-1, 1) for s in (-0.5, 0.1, 0.5, 1)]
    best = min(runs, key=lambda m: m.cost)
    return {"x": x.tolist(), "y": y.tolist(), "mse": 2 * best.cost / len(x), "predictionAt_0.4": float(best.x[0] * 0.4 ** best.x[1] + best.x[2])}


if __name__ == "__main__":
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"scipy": scipy.__version__, "dCpt": d_cpt(), "power": power()}, indent=1) + "\n")
