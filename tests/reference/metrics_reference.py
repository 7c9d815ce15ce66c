"""PSNR and SSIM in plain numpy, double precision, for
tests/stages/nerf/metrics_test.cc. SSIM is Wang et al. 2004 with an 11 x 11
Gaussian window of sigma 1.5, over the region where the window fits."""

import numpy as np


def images(height=24, width=31):
    y, x, c = np.meshgrid(
        np.arange(height), np.arange(width), np.arange(3), indexing="ij"
    )
    truth = 0.5 + 0.4 * np.sin(0.7 * x + 0.3 * y + c)
    image = truth + 0.1 * np.cos(1.3 * x - 0.9 * y + 2 * c)
    return image, truth


def psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


def window_mean(plane, kernel):
    n = len(kernel)
    height, width = plane.shape
    result = np.zeros((height - n + 1, width - n + 1))
    for i in range(n):
        for k in range(n):
            result += (
                kernel[i]
                * kernel[k]
                * plane[i : i + result.shape[0], k : k + result.shape[1]]
            )
    return result


def ssim(image, truth, window=11, sigma=1.5):
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for c in range(image.shape[2]):
        x, y = image[..., c], truth[..., c]
        mx, my = window_mean(x, kernel), window_mean(y, kernel)
        vx = window_mean(x * x, kernel) - mx**2
        vy = window_mean(y * y, kernel) - my**2
        cov = window_mean(x * y, kernel) - mx * my
        values.append(
            (2 * mx * my + c1)
            * (2 * cov + c2)
            / ((mx**2 + my**2 + c1) * (vx + vy + c2))
        )
    return np.mean(values)


if __name__ == "__main__":
    a, b = images()
    print("psnr %.15g" % psnr(a, b))
    print("ssim %.15g" % ssim(a, b))
