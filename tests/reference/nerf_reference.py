#!/usr/bin/python3
"""Numbers for tests/stages/nerf: every part of the methods, in double precision.

Written from the papers' formulas with numpy alone. Run as
    /usr/bin/python3 nerf_reference.py > nerf_reference.h
"""
import math

import numpy as np


def frequency(x, bands):
    parts = [x]
    for k in range(bands):
        parts += [np.sin(2.0**k * x), np.cos(2.0**k * x)]
    return np.concatenate(parts, axis=1)


def legendre(l, m, z):
    """Associated Legendre function with the Condon-Shortley phase."""
    p = (-1.0)**m * np.prod(np.arange(1, 2 * m, 2)) * (1 - z * z)**(m / 2)
    if l == m:
        return p
    last, p = p, z * (2 * m + 1) * p
    for n in range(m + 2, l + 1):
        last, p = p, ((2 * n - 1) * z * p - (n + m - 1) * last) / (n - m)
    return p


def harmonics(d):
    phi = np.arctan2(d[:, 1], d[:, 0])
    columns = []
    for l in range(4):
        for m in range(-l, l + 1):
            a = abs(m)
            k = math.sqrt((2 * l + 1) / (4 * math.pi) *
                          math.factorial(l - a) / math.factorial(l + a))
            turn = (1 if m == 0 else math.sqrt(2) *
                    (np.cos(a * phi) if m > 0 else np.sin(a * phi)))
            columns.append(k * turn * legendre(l, a, d[:, 2]))
    return np.stack(columns, axis=1)


def hash_encode(positions, levels, base, finest, log2_table, features):
    growth = math.exp(math.log(finest / base) / (levels - 1))
    primes = [1, 2654435761, 805459861]
    table_size = 2**log2_table
    first = 0
    parts = []
    for level in range(levels):
        scale = round(base * growth**level, 9) - 1
        r = math.ceil(scale) + 1
        dense = r**3 <= table_size
        rows = r**3 if dense else table_size
        out = np.zeros((len(positions), features))
        for i, x in enumerate(positions):
            p = x * scale + 0.5
            cell = np.floor(p).astype(int)
            f = p - cell
            for corner in np.ndindex(2, 2, 2):
                c = cell + corner
                if dense:
                    index = int(c[0] + r * c[1] + r * r * c[2]) % rows
                else:
                    brick = 0
                    for axis in range(3):
                        brick ^= (int(c[axis]) // 2 * primes[axis]) % 2**32
                    inside = sum(int(c[axis]) % 2 << axis for axis in range(3))
                    index = (8 * brick + inside) % rows
                weight = np.prod(np.where(corner, f, 1 - f))
                row = (first + index) * features + np.arange(features)
                out[i] += weight * np.sin(0.1 * row)  # the table's entries
        parts.append(out)
        first += rows
    return np.concatenate(parts, axis=1), first


def stratified(near, far, u, lindisp):
    n, s = u.shape
    out = np.zeros((n, s))
    for i in range(n):
        t = np.linspace(0, 1, s)
        if lindisp:
            z = 1 / ((1 - t) / near[i] + t / far[i])
        else:
            z = near[i] * (1 - t) + far[i] * t
        edges = np.concatenate([z[:1], (z[1:] + z[:-1]) / 2, z[-1:]])
        out[i] = edges[:-1] + (edges[1:] - edges[:-1]) * u[i]
    return out


def sample_pdf(edges, weights, u):
    out = np.zeros_like(u)
    for i in range(len(u)):
        w = weights[i] + 1e-5
        cdf = np.concatenate([[0], np.cumsum(w / w.sum())])
        for j, value in enumerate(u[i]):
            k = int(np.searchsorted(cdf, value, side="right"))
            low, high = max(k - 1, 0), min(k, len(cdf) - 1)
            width = cdf[high] - cdf[low]
            width = width if width >= 1e-5 else 1.0
            t = (value - cdf[low]) / width
            out[i, j] = edges[i, low] + t * (edges[i, high] - edges[i, low])
    return out


def composite(raw, z, d, noise):
    n, s, _ = raw.shape
    rgb = np.zeros((n, 3))
    weights = np.zeros((n, s))
    for i in range(n):
        left = 1.0
        for k in range(s):
            delta = (z[i, k + 1] - z[i, k] if k + 1 < s else 1e10)
            delta *= np.linalg.norm(d[i])
            alpha = 1 - math.exp(-max(raw[i, k, 3] + noise[i, k], 0) * delta)
            weights[i, k] = left * alpha
            left *= 1 - alpha + 1e-10
            rgb[i] += weights[i, k] / (1 + np.exp(-raw[i, k, :3]))
    return rgb, weights


def ndc(o, d, fx, fy, near):
    """Projection of points by the frustum matrix, applied to both ends."""
    out_o, out_d = np.zeros_like(o), np.zeros_like(d)
    for i in range(len(o)):
        start = o[i] - (near + o[i, 2]) / d[i, 2] * d[i]

        def project(x):
            return np.array([-fx * x[0] / x[2], -fy * x[1] / x[2],
                             1 + 2 * near / x[2]])

        out_o[i] = project(start)
        # The point at infinity is where the NDC parameter is 1.
        at_infinity = np.array([-fx * d[i, 0] / d[i, 2],
                                -fy * d[i, 1] / d[i, 2], 1.0])
        out_d[i] = at_infinity - out_o[i]
    return out_o, out_d


def adam(p, gradients, rate, b1, b2, eps, decay, correct):
    # Without correction it is the table's form, used without a first moment:
    # one second moment for the row.
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients, 1):
        g = g + decay * p
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g * g if correct else np.mean(g * g))
        mh = m / (1 - b1**t) if correct else m
        vh = v / (1 - b2**t) if correct else v
        p = p - rate * mh / (np.sqrt(vh) + eps)
    return p


def contract(x):
    n = np.abs(x).max(axis=1, keepdims=True)
    return np.where(n <= 1, x, (2 - 1 / n) * x / n)


def show(name, values):
    print(f"inline const std::vector<double> {name} = {{")
    flat = np.asarray(values, dtype=float).ravel()
    for i in range(0, len(flat), 4):
        print("    " + ", ".join(repr(v) for v in flat[i:i + 4].tolist()) + ",")
    print("};")


def main():
    random = np.random.RandomState(7)
    print("// Made by nerf_reference.py; do not edit.")
    print("// clang-format off")
    print("#pragma once\n\n#include <vector>\n")
    print("namespace nerfpipe::nerf::reference {\n")

    x = random.uniform(-2, 2, (2, 3))
    show("kFrequencyInput", x)
    show("kFrequency", frequency(x, 4))

    d = random.normal(size=(3, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    show("kDirections", d)
    show("kHarmonics", harmonics(d))

    positions = np.concatenate(
        [random.uniform(0, 1, (4, 3)), [[0.0, 1.0, 0.5]]])
    encoded, rows = hash_encode(positions, 4, 4, 32, 10, 2)
    show("kHashPositions", positions)
    show("kHashEncoded", encoded)
    show("kHashRows", [rows])

    near, far = np.array([1.0, 2.0]), np.array([3.0, 6.0])
    u = random.uniform(0, 1, (2, 5))
    show("kNear", near)
    show("kFar", far)
    show("kUniforms", u)
    show("kStratified", stratified(near, far, u, False))
    show("kStratifiedDisparity", stratified(near, far, u, True))

    edges = np.sort(random.uniform(1, 5, (2, 6)), axis=1)
    weights = random.uniform(0, 1, (2, 5))
    weights[1, 1:4] = 0
    more = np.concatenate([random.uniform(0, 1, (2, 6)), [[0.0], [1.0]]], axis=1)
    show("kEdges", edges)
    show("kPdfWeights", weights)
    show("kPdfUniforms", more)
    show("kPdfSamples", sample_pdf(edges, weights, more))

    raw = random.normal(size=(2, 5, 4))
    z = np.sort(random.uniform(1, 3, (2, 5)), axis=1)
    directions = random.normal(size=(2, 3))
    noise = random.normal(size=(2, 5))
    rgb, w = composite(raw, z, directions, noise)
    show("kRaw", raw)
    show("kDepths", z)
    show("kRayDirections", directions)
    show("kNoise", noise)
    show("kRgb", rgb)
    show("kWeights", w)

    origins = random.uniform(-0.3, 0.3, (3, 3))
    forward = np.concatenate(
        [random.uniform(-0.4, 0.4, (3, 2)), -np.ones((3, 1))], axis=1)
    o, v = ndc(origins, forward, 1.7, 2.1, 1.0)
    show("kNdcOrigins", origins)
    show("kNdcDirections", forward)
    show("kNdcOut", np.concatenate([o, v], axis=1))

    p = random.normal(size=4)
    gradients = random.normal(size=(3, 4))
    show("kAdamStart", p)
    show("kAdamGradients", gradients)
    show("kAdamEnd", adam(p, gradients, 0.05, 0.9, 0.99, 1e-8, 0.01, True))
    show("kAdamRowsEnd", adam(p, gradients, 0.05, 0, 0.99, 1e-15, 0, False))

    far_points = random.normal(size=(5, 3)) * [[0.3], [1], [2], [10], [1000]]
    show("kContractInput", far_points)
    show("kContracted", contract(far_points))
    print("\n}  // namespace nerfpipe::nerf::reference")


main()
