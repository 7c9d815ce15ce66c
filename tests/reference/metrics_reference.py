"""PSNR, SSIM and MS-SSIM in plain numpy, double precision, for
tests/stages/nerf/metrics_test.cc. SSIM is Wang et al. 2004 with an 11 x 11
Gaussian window of sigma 1.5, over the region where the window fits;
MS-SSIM is Wang et al. 2003 with as many scales as the window fits."""

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


def colour_corrected(image, truth):
    """Per channel, the affine map of least squares (RawNeRF), clamped."""
    result = np.empty_like(image)
    for c in range(3):
        x = image[..., c].ravel()
        a = np.stack([x, np.ones_like(x)], axis=1)
        b = np.linalg.lstsq(a, truth[..., c].ravel(), rcond=None)[0]
        result[..., c] = np.clip(a @ b, 0, 1).reshape(image.shape[:2])
    return result


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


def similarity(x, y, kernel):
    """Means of SSIM and of its contrast and structure, of one channel."""
    c1, c2 = 0.01**2, 0.03**2
    mx, my = window_mean(x, kernel), window_mean(y, kernel)
    vx = window_mean(x * x, kernel) - mx**2
    vy = window_mean(y * y, kernel) - my**2
    cov = window_mean(x * y, kernel) - mx * my
    structure = (2 * cov + c2) / (vx + vy + c2)
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    return np.mean(luminance * structure), np.mean(structure)


def gaussian(window=11, sigma=1.5):
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    return kernel / kernel.sum()


def ssim(image, truth):
    return np.mean(
        [
            similarity(image[..., c], truth[..., c], gaussian())[0]
            for c in range(image.shape[2])
        ]
    )


def halved(plane):
    h, w = plane.shape[0] // 2, plane.shape[1] // 2
    return plane[: 2 * h, : 2 * w].reshape(h, 2, w, 2).mean(axis=(1, 3))


def ms_ssim(image, truth):
    exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    scales, side = 1, min(image.shape[:2])
    while scales < 5 and side // 2 >= 11:
        scales, side = scales + 1, side // 2
    exponents = np.array(exponents[:scales]) / sum(exponents[:scales])
    values = []
    for c in range(image.shape[2]):
        x, y, value = image[..., c], truth[..., c], 1
        for scale in range(scales):
            last = scale + 1 == scales
            value *= similarity(x, y, gaussian())[0 if last else 1] ** exponents[scale]
            x, y = halved(x), halved(y)
        values.append(value)
    return np.mean(values)


if __name__ == "__main__":
    a, b = images()
    print("psnr %.15g" % psnr(a, b))
    print("ssim %.15g" % ssim(a, b))
    print("ms_ssim %.15g" % ms_ssim(a, b))
    c = colour_corrected(a, b)
    print("corrected psnr %.15g" % psnr(c, b))
    print("corrected ssim %.15g" % ssim(c, b))
    large = images(97, 131)
    print("psnr of 97 x 131 %.15g" % psnr(*large))
    print("ssim of 97 x 131 %.15g" % ssim(*large))
    print("ms_ssim of 97 x 131 %.15g" % ms_ssim(*large))
