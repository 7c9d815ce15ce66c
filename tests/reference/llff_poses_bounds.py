#!/usr/bin/env python3
"""Poses and bounds by LLFF's definition, in plain numpy.

Makes a small COLMAP model (text) in which identifiers have gaps, because some
images were not registered, and records stand in no order; then computes the
N x 17 table from the text files alone. poses_bounds_test.cc reads the same
model and must arrive at the same numbers.

Definition: bmild/LLFF, llff/poses/pose_utils.py. Rows are sorted by name; a
pose is [down, right, backward | centre | height, width, focal]; bounds are
percentiles 0.1 and 99.9 of the depths of all points that the image sees.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "llff_model"
WIDTH, HEIGHT, FOCAL = 96, 64, 88.5


def make_model():
    rng = np.random.default_rng(20)
    # (identifier, name): neither 1..N nor in the order of the names.
    images = [(12, "00007.jpg"), (3, "00010.jpg"), (40, "00001.jpg"),
              (5, "00003.jpg"), (11, "a.jpg"), (2, "B.jpg")]
    points = np.round(rng.normal(size=(90, 3)) * [1.5, 1, 0.7], 6)
    points[17] *= 30  # stray points belong to the definition, too
    tracks = [[] for _ in points]
    image_lines = []
    for k, (image_id, name) in enumerate(images):
        angle = 0.9 * k
        centre = np.array([7 * np.cos(angle), 0.3 * k - 1, 7 * np.sin(angle)])
        forward = -centre / np.linalg.norm(centre)
        right = np.cross([0, 1, 0], forward)
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        quaternion = np.round(to_quaternion(rotation), 8)
        translation = np.round(-rotation @ centre, 8)
        seen = rng.permutation(len(points))[:40 + 5 * k]
        fields = []
        for index, point in enumerate(seen):
            x = rotation @ points[point] + translation
            uv = FOCAL * x[:2] / x[2] + [WIDTH / 2, HEIGHT / 2]
            fields.append(f"{uv[0]:.3f} {uv[1]:.3f} {1000 + 3 * point}")
            tracks[point].append((image_id, index))
        pose = " ".join(repr(float(v)) for v in [*quaternion, *translation])
        image_lines += [f"{image_id} {pose} 1 {name}", " ".join(fields)]
    # One track names an image twice: it still counts once.
    tracks[4].append(tracks[4][0])

    MODEL.mkdir(exist_ok=True)
    (MODEL / "cameras.txt").write_text(
        f"1 SIMPLE_PINHOLE {WIDTH} {HEIGHT} {FOCAL} {WIDTH / 2} {HEIGHT / 2}\n")
    (MODEL / "images.txt").write_text("\n".join(image_lines) + "\n")
    with (MODEL / "points3D.txt").open("w") as out:
        for k in rng.permutation(len(points)):
            if not tracks[k]:
                continue
            xyz = " ".join(repr(float(v)) for v in points[k])
            track = " ".join(f"{i} {j}" for i, j in tracks[k])
            out.write(f"{1000 + 3 * k} {xyz} 10 20 30 0.5 {track}\n")


def to_quaternion(rotation):
    """w, x, y, z from the eigenvector of Bar-Itzhack's matrix."""
    r = rotation
    matrix = np.array([
        [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
        [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
        [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], 0],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1],
         r[0, 0] + r[1, 1] + r[2, 2]]]) / 3
    values, vectors = np.linalg.eigh(matrix)
    x, y, z, w = vectors[:, np.argmax(values)]
    q = np.array([w, x, y, z])
    return q if w >= 0 else -q


def to_rotation(quaternion):
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def poses_bounds():
    camera = (MODEL / "cameras.txt").read_text().split()
    width, height, focal = (float(v) for v in camera[2:5])
    lines = (MODEL / "images.txt").read_text().splitlines()
    images = {}
    for line in lines[0::2]:
        words = line.split()
        values = np.array([float(v) for v in words[1:8]])
        images[int(words[0])] = (words[9], to_rotation(values[:4]), values[4:])
    points, viewers = [], []
    for line in (MODEL / "points3D.txt").read_text().splitlines():
        words = line.split()
        points.append([float(v) for v in words[1:4]])
        viewers.append({int(v) for v in words[8::2]})
    points = np.array(points)

    rows = []
    for image_id, (name, rotation, translation) in sorted(
            images.items(), key=lambda item: item[1][0]):
        camera_to_world = np.eye(4)
        camera_to_world[:3, :3] = rotation
        camera_to_world[:3, 3] = translation
        camera_to_world = np.linalg.inv(camera_to_world)
        right, down, forward, centre = camera_to_world[:3].T
        pose = np.stack(
            [down, right, -forward, centre, [height, width, focal]], axis=1)
        seen = np.array([image_id in ids for ids in viewers])
        depths = (points[seen] - centre) @ forward
        rows.append([*pose.ravel(), np.percentile(depths, 0.1),
                     np.percentile(depths, 99.9)])
    return np.array(rows)


if __name__ == "__main__":
    make_model()
    np.save(HERE / "llff_poses_bounds.npy", poses_bounds())
