#!/usr/bin/python3
"""Peak memory of training splats on a capture of a given size.

  memory.py NERFPIPE FOLDER [--images 100] [--size 1920x1080]
            [--splats 150000] [--steps 300] [OPTIONS OF nerfpipe train]

Makes the capture once, in FOLDER/capture: views of a room with a ball in it,
drawn here, with their cameras in a transforms.json. Then trains on it at its
full size and prints the largest resident set of the process. Needs Debian's
python3-numpy and python3-pil.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

import numpy
from PIL import Image

ROOM = 4.0  # half a side of the cube
BALL = 1.0  # in its middle


def texture(point):
    """Colours of points of the surfaces: waves, and a grain of 2 cm."""
    x, y, z = (point[..., k] for k in range(3))
    waves = [numpy.sin(a * x + b * y + c * z + d) for a, b, c, d in
             ((2.1, 3.3, -1.7, 0), (-4.2, 1.1, 2.9, 1), (7.7, -6.1, 5.3, 2))]
    cell = numpy.floor(50 * point + 0.37).astype(numpy.int64)
    grain = cell @ numpy.array([73856093, 19349663, 83492791])
    grain = ((grain ^ (grain >> 13)) * 1274126177 >> 16 & 255) / 255.0
    colours = [0.5 + 0.2 * w + 0.12 * (grain - 0.5) for w in waves]
    return numpy.stack(colours, axis=-1)


def draw(pose, focal, width, height):
    """The picture of a camera, a few rows at a time."""
    rows = []
    for top in range(0, height, 120):
        v, u = numpy.mgrid[top:min(height, top + 120), 0:width] + 0.5
        ray = numpy.stack([(u - width / 2) / focal, -(v - height / 2) / focal,
                           -numpy.ones_like(u)], axis=-1) @ pose[:3, :3].T
        start = pose[:3, 3]
        with numpy.errstate(divide="ignore"):
            wall = ((numpy.sign(ray) * ROOM - start) / ray).min(axis=-1)
        a = (ray ** 2).sum(axis=-1)
        b = ray @ start
        under = b * b - a * (start @ start - BALL ** 2)
        ball = (-b - numpy.sqrt(numpy.maximum(under, 0))) / a
        far = numpy.where((under > 0) & (ball > 0), ball, wall)
        colours = texture(start + far[..., None] * ray)
        rows.append((255 * colours.clip(0, 1) + 0.5).astype(numpy.uint8))
    return Image.fromarray(numpy.concatenate(rows))


def make_capture(folder, images, width, height):
    focal = 0.8 * width
    frames = []
    (folder / "images").mkdir(parents=True)
    for i in range(images):
        angle = 2 * numpy.pi * i / images
        centre = numpy.array([2.8 * numpy.cos(angle), 2.8 * numpy.sin(angle),
                              0.6 * numpy.sin(3 * angle)])
        back = centre / numpy.linalg.norm(centre)
        right = numpy.cross([0, 0, 1], back)
        right /= numpy.linalg.norm(right)
        pose = numpy.eye(4)
        pose[:3] = numpy.column_stack(
            [right, numpy.cross(back, right), back, centre])
        name = "images/%04d.jpg" % (i + 1)
        draw(pose, focal, width, height).save(folder / name, quality=92)
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
        print("\rdrawing %d of %d" % (i + 1, images), end="", flush=True)
    print()
    (folder / "transforms.json").write_text(json.dumps({
        "w": width, "h": height, "fl_x": focal, "fl_y": focal,
        "cx": width / 2, "cy": height / 2, "frames": frames}))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--splats", type=int, default=150000)
    parser.add_argument("--steps", type=int, default=300)
    arguments, options = parser.parse_known_args()
    width, height = map(int, arguments.size.split("x"))

    capture = arguments.folder / ("capture-%d-%s" % (arguments.images,
                                                     arguments.size))
    if not (capture / "transforms.json").exists():
        shutil.rmtree(capture, ignore_errors=True)
        make_capture(capture, arguments.images, width, height)
    trained = arguments.folder / "trained"
    shutil.rmtree(trained, ignore_errors=True)
    command = [str(arguments.program), "train", "-d", str(capture),
               "-w", str(trained), "--method", "splat",
               "--set", "train.factor=1",
               "--set", "splat.count=%d" % arguments.splats,
               "--steps", str(arguments.steps), *options]
    start = time.time()
    child = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    print("%d images of %s, %d gaussians, %d steps: exit code %d, %.0f s, "
          "peak memory %.0f MB" % (
              arguments.images, arguments.size, arguments.splats,
              arguments.steps, code, time.time() - start,
              usage.ru_maxrss * 1024 / 1e6))
    return code


if __name__ == "__main__":
    sys.exit(main())
