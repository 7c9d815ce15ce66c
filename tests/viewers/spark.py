#!/usr/bin/python3
"""Pictures of our exports by Spark (three.js) against our own renderer's.

  spark.py WORKSPACE [--views N] [--save FOLDER]

WORKSPACE is one of `nerfpipe run`, or of `nerfpipe train -d DATASET --method
splat` on a data set with a folder of images; it holds train/splat,
scene_transform.json and exports/scene.{ply,spz,splat}. README.md says how to
get there.

Every file is shown in headless Chromium, by WebGL on the processor, from the
cameras of held-out views, and compared with train/splat/test/NAME.png, whose
left half was rendered by nerfpipe from its own state. Prints the mean PSNR per
file and setting, and fails where it is below what is asked for.
"""

import argparse
import base64
import functools
import http.server
import io
import json
import math
import pathlib
import sys
import threading

import numpy
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = pathlib.Path(__file__).resolve().parent

# Where the settings of Spark correspond to ours: order by depth along the
# optical axis, 0.3 square pixels of blur without making anything fainter, and
# an end where a gaussian is fainter than 1 / 255.
OURS = {
    "sortRadial": False,
    "preBlurAmount": 0.3,
    "blurAmount": 0.0,
    "minAlpha": 1 / 255,
    "maxStdDev": math.sqrt(2 * math.log(255)),
    "maxPixelRadius": 4096,
    "clipXY": 3,
    "accumExtSplats": True,
}
SETTINGS = {
    # name: (of SparkRenderer, of SplatMesh)
    "as ours": (OURS, {"extSplats": True}),
    "as ours, packed": ({**OURS, "accumExtSplats": False}, {}),
    "Spark's own": ({}, {}),
}
# Asked for with our settings; .splat holds no harmonics.
LEAST = {"ply": 30.0, "spz": 30.0, "splat": 25.0}
# Once the page has loaded its modules.
SHOOT = """
const [order, done] = arguments;
const fail = (error) => done({error: String(error.stack ?? error)});
const wait = () => {
  if (window.failure) fail(window.failure);
  else if (window.ready) shoot(order).then(done, fail);
  else setTimeout(wait, 50);
};
wait();
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """/modules/ and /exports/ are folders, everything else is this one."""

    def __init__(self, *arguments, folders, **keywords):
        self.folders = folders
        super().__init__(*arguments, **keywords)

    def translate_path(self, path):
        parts = path.split("?")[0].lstrip("/").split("/")
        folder = self.folders.get(parts[0])
        if folder is not None:
            return str(folder.joinpath(*parts[1:]))
        return str(HERE.joinpath(*parts))

    def log_message(self, *_):
        pass


def serve(folders):
    handler = functools.partial(Handler, folders=folders)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def open_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
                 "--use-gl=angle", "--use-angle=swiftshader",
                 "--enable-unsafe-swiftshader",
                 "--force-color-profile=srgb"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                              options=options)
    driver.set_script_timeout(900)
    return driver


def background_of(workspace, scene):
    """What stands behind all: the mean colour of the training images."""
    record = workspace / "dataset.json"
    folder = (pathlib.Path(json.loads(record.read_text())["dataset"])
              if record.exists() else workspace)
    reduced = folder / ("images_%d" % scene["factor"])
    folder = reduced if reduced.is_dir() else folder / "images"
    means = [numpy.asarray(Image.open(folder / view["name"]).convert("RGB"))
             .reshape(-1, 3).mean(axis=0) for view in scene["train"]]
    return (numpy.mean(means, axis=0) / 255).tolist()


def views_of(workspace, most):
    """Held-out cameras in the frame of the exports, with their pictures."""
    scene = json.loads((workspace / "train/splat/scene.json").read_text())
    transform = json.loads((workspace / "scene_transform.json").read_text())
    matrix = numpy.array(transform["exported_from_sparse"])[:3]
    turn = matrix[:, :3] / transform["scale"]
    assert abs(turn @ turn.T - numpy.eye(3)).max() < 1e-6
    views = []
    test = scene["test"]
    for view in test[:: max(1, len(test) // most)][:most]:
        pose = numpy.array(view["world_from_camera"]).reshape(3, 4)
        rotation = turn @ pose[:, :3]
        centre = matrix[:, :3] @ pose[:, 3] + matrix[:, 3]
        views.append({
            **{key: view[key] for key in
               ("name", "width", "height", "fx", "fy", "cx", "cy")},
            "pose": numpy.column_stack([rotation, centre]).ravel().tolist(),
        })
        stem = str(pathlib.Path(view["name"]).with_suffix(".png"))
        both = Image.open(workspace / "train/splat/test" /
                          stem.replace("/", "_"))
        assert both.size == (2 * view["width"], view["height"])
        views[-1]["ours"] = numpy.asarray(both.convert("RGB"))[
            :, : view["width"]]
    return views, background_of(workspace, scene)


def psnr(a, b):
    error = (a.astype(float) - b.astype(float)) / 255
    return -10 * math.log10((error ** 2).mean() + 1e-12)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workspace", type=pathlib.Path)
    parser.add_argument("--views", type=int, default=3)
    parser.add_argument("--save", type=pathlib.Path)
    arguments = parser.parse_args()
    views, background = views_of(arguments.workspace, arguments.views)
    page = serve({"modules": HERE / "node_modules",
                  "exports": (arguments.workspace / "exports").resolve()})
    driver = open_browser()
    failed = False
    try:
        driver.get(page + "/spark.html")
        for name, (settings, mesh) in SETTINGS.items():
            for form, least in LEAST.items():
                result = driver.execute_async_script(
                    SHOOT,
                    {"file": "/exports/scene." + form, "background": background,
                     "settings": settings, "mesh": mesh,
                     "near": 0.01, "far": 1000,
                     "views": [{k: v for k, v in view.items() if k != "ours"}
                               for view in views]})
                if "error" in result:
                    sys.exit(form + ": " + result["error"])
                figures = []
                for view, url in zip(views, result["pictures"]):
                    data = base64.b64decode(url.split(",")[1])
                    theirs = numpy.asarray(
                        Image.open(io.BytesIO(data)).convert("RGB"))
                    figures.append(psnr(theirs, view["ours"]))
                    if arguments.save:
                        arguments.save.mkdir(parents=True, exist_ok=True)
                        Image.fromarray(
                            numpy.concatenate([theirs, view["ours"]], axis=1)
                        ).save(arguments.save / ("%s-%s-%s.png" % (
                            form, name.replace(" ", "_"),
                            pathlib.Path(view["name"]).stem)))
                mean = sum(figures) / len(figures)
                low = name == "as ours" and min(figures) < least
                failed = failed or low
                print("%-6s %-16s %6.2f dB (%s), %s gaussians%s" % (
                    form, name, mean, ", ".join("%.2f" % f for f in figures),
                    result["count"],
                    "  <- below %g" % least if low else ""), flush=True)
    finally:
        for line in driver.get_log("browser"):
            if line["level"] == "SEVERE":
                print("browser: " + line["message"], file=sys.stderr)
        driver.quit()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
