// Our glb, and how others see it, against the ply of the same scene.
//
//   node glb.mjs SCENE.ply SCENE.glb
//
// The glb holds the ply's numbers, activated. gltf-validator finds no error but
// that it does not know the extension's attributes. Babylon.js reads the same
// numbers, as far as the bytes tell in which it keeps colours and turns, and
// splat-transform makes the same glb of the ply, but that it takes a ply to have
// y down and turns it. README.md says what to install.

import {execFileSync} from "node:child_process";
import fs from "node:fs";
import {createRequire} from "node:module";
import os from "node:os";
import path from "node:path";
import {NullEngine} from "@babylonjs/core/Engines/nullEngine.js";
import {ImportMeshAsync, SceneLoader} from "@babylonjs/core/Loading/sceneLoader.js";
import {Scene} from "@babylonjs/core/scene.js";
import "@babylonjs/loaders/glTF/2.0/glTFLoader.js";
import "@babylonjs/loaders/glTF/2.0/Extensions/KHR_gaussian_splatting.js";

const require = createRequire(import.meta.url);
const validator = require("gltf-validator");
const kSplatTransform = new URL(
    "node_modules/@playcanvas/splat-transform/bin/cli.mjs",
    import.meta.url).pathname;
const kTolerance = 1e-4;
let failed = false;

function tell(what, good) {
  console.log((good ? "  " : "! ") + what);
  failed ||= !good;
}

// {attribute: numbers as they are stored}
function attributesOf(glb) {
  const length = glb.readUInt32LE(12);
  const root = JSON.parse(glb.subarray(20, 20 + length).toString());
  const data = glb.subarray(28 + length);
  const [primitive] = root.meshes[0].primitives;
  const attributes = {};
  for (const [name, index] of Object.entries(primitive.attributes)) {
    const accessor = root.accessors[index];
    const view = root.bufferViews[accessor.bufferView];
    if (view.byteStride) throw new Error(name + " is not packed");
    const Values = {5121: Uint8Array, 5123: Uint16Array,
                    5126: Float32Array}[accessor.componentType];
    const each = {SCALAR: 1, VEC3: 3, VEC4: 4}[accessor.type];
    const at = (view.byteOffset ?? 0) + (accessor.byteOffset ?? 0);
    attributes[name] = new Values(Uint8Array.from(data.subarray(
        at, at + accessor.count * each * Values.BYTES_PER_ELEMENT)).buffer);
  }
  return attributes;
}

// What a glb of the same gaussians has to hold, from a ply of floats.
function expectedOf(ply) {
  const end = ply.indexOf("end_header\n") + "end_header\n".length;
  const lines = ply.subarray(0, end).toString().split("\n");
  const count = Number(
      lines.find((l) => l.startsWith("element vertex ")).split(" ")[2]);
  const names = lines.filter((l) => l.startsWith("property float "))
                    .map((l) => l.split(" ")[2]);
  if (ply.length !== end + 4 * names.length * count) {
    throw new Error("the ply is not one of floats alone");
  }
  const take = (columns, change = (v) => v) => {
    const places = columns.map((name) => names.indexOf(name));
    const values = [];
    for (let i = 0; i < count; ++i) {
      values.push(...change(places.map(
          (place) => ply.readFloatLE(end + 4 * (names.length * i + place)))));
    }
    return values;
  };
  const k = "KHR_gaussian_splatting:";
  const attributes = {
    POSITION: take(["x", "y", "z"]),
    [k + "ROTATION"]: take(["rot_1", "rot_2", "rot_3", "rot_0"],
                           (q) => q.map((v) => v / Math.hypot(...q))),
    [k + "SCALE"]: take(["scale_0", "scale_1", "scale_2"],
                        (v) => v.map(Math.exp)),
    [k + "OPACITY"]: take(["opacity"], ([v]) => [1 / (1 + Math.exp(-v))]),
    [k + "SH_DEGREE_0_COEF_0"]: take(["f_dc_0", "f_dc_1", "f_dc_2"]),
  };
  const rest = names.filter((name) => name.startsWith("f_rest_")).length / 3;
  for (let j = 0; j < rest; ++j) {
    const degree = Math.floor(Math.sqrt(j + 1));
    attributes[`${k}SH_DEGREE_${degree}_COEF_${j + 1 - degree * degree}`] =
        take([0, 1, 2].map((channel) => "f_rest_" + (channel * rest + j)));
  }
  return attributes;
}

// A quaternion and its opposite are the same turn.
function turnsLike(values, expected) {
  const out = Array.from(values);
  for (let i = 0; i < out.length; i += 4) {
    let dot = 0;
    for (let j = i; j < i + 4; ++j) dot += out[j] * expected[j];
    if (dot < 0) for (let j = i; j < i + 4; ++j) out[j] = -out[j];
  }
  return out;
}

function largestDifference(a, b) {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; ++i) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

async function validate(bytes) {
  console.log("gltf-validator " + validator.version());
  const {issues} = await validator.validateBytes(new Uint8Array(bytes));
  // Names before a colon are the extension's own, which it would have to know.
  const unknown = ({code, pointer}) =>
      code === "MESH_PRIMITIVE_INVALID_ATTRIBUTE" &&
      pointer.includes("/attributes/KHR_gaussian_splatting:");
  const known = issues.messages.filter((issue) => !unknown(issue));
  const names = issues.messages.length - known.length;
  const errors = known.filter(({severity}) => severity === 0).length;
  tell(`${errors} errors, and ${names} names of attributes not known to it`,
       errors === 0 && !issues.truncated);
  for (const {severity, code, message, pointer} of known) {
    console.log(`    ${severity} ${code} ${pointer}: ${message}`);
  }
}

function compare(found, expected) {
  // The colours of points are for viewers that don't know the extension.
  const names = Object.keys(found).filter((name) => name !== "COLOR_0").sort();
  tell("attributes: " + names.length,
       names.join() === Object.keys(expected).sort().join());
  for (const name of names.filter((name) => expected[name])) {
    const values = name.endsWith(":ROTATION")
        ? turnsLike(found[name], expected[name]) : found[name];
    const difference = largestDifference(values, expected[name]);
    tell(`${name}: ${difference.toExponential(1)}`, difference <= kTolerance);
  }
}

function compareWithSplatTransform(plyName, expected) {
  console.log("splat-transform " +
              require("./package.json").dependencies[
                  "@playcanvas/splat-transform"]);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "glb-"));
  const written = path.join(folder, "scene.glb");
  execFileSync(process.execPath, [kSplatTransform, "--quiet", plyName,
                                  "--rotate", "0,0,180", written]);
  compare(attributesOf(fs.readFileSync(written)), expected);
  fs.rmSync(folder, {recursive: true});
}

async function compareWithBabylon(glb, expected) {
  const engine = new NullEngine();
  console.log("Babylon.js " + NullEngine.NpmPackage);
  const scene = new Scene(engine);
  // What the loader hands to the mesh, which then goes to the GPU.
  let read;
  SceneLoader.OnPluginActivatedObservable.addOnce((loader) => {
    loader.onMeshLoadedObservable.add((mesh) => {
      mesh.updateDataAsync = async (splats, harmonics) => {
        read = {splats, harmonics};
      };
    });
  });
  await ImportMeshAsync(new Uint8Array(glb), scene, {pluginExtension: ".glb"});
  tell("read as gaussians", read !== undefined);
  if (!read) return;
  const count = expected.POSITION.length / 3;
  const bytes = new Uint8Array(read.splats);
  const floats = new Float32Array(read.splats);
  const part = (values, stride, begin, each) => {
    const out = [];
    for (let i = 0; i < count; ++i) {
      for (let k = 0; k < each; ++k) out.push(values[i * stride + begin + k]);
    }
    return out;
  };
  const check = (name, found, wanted, tolerance) => {
    const difference = largestDifference(found, wanted);
    tell(`${name}: ${difference.toExponential(1)}`, difference <= tolerance);
  };
  const own = (name) => expected["KHR_gaussian_splatting:" + name];
  const limited = (values) => values.map((v) => Math.min(1, Math.max(0, v)));
  check("positions", part(floats, 8, 0, 3), expected.POSITION, kTolerance);
  check("scales", part(floats, 8, 3, 3), own("SCALE"), kTolerance);
  const half = 0.5 / 255 + kTolerance;
  check("colours", part(bytes, 32, 24, 3).map((v) => v / 255),
        limited(own("SH_DEGREE_0_COEF_0").map(
            (v) => 0.5 + 0.28209479177387814 * v)), half);
  check("opacities", part(bytes, 32, 27, 1).map((v) => v / 255),
        own("OPACITY"), half);
  const turns = part(bytes, 32, 28, 4).map((v) => (v - 127.5) / 127.5);
  const xyzw = own("ROTATION");
  check("rotations", turns, turns.map((_, i) => i % 4 === 0
      ? xyzw[i + 3] : xyzw[i - 1]), 2 * half);
  // Bytes of sixteen of a gaussian's numbers each.
  const coefficients = Object.keys(expected).filter(
      (name) => /SH_DEGREE_[123]_/.test(name)).sort();
  for (const [j, name] of coefficients.entries()) {
    const found = [];
    for (let i = 0; i < 3 * count; ++i) {
      const at = 3 * j + i % 3;
      const byte = read.harmonics[at >> 4][16 * Math.floor(i / 3) + at % 16];
      found.push((byte - 128) / 128);
    }
    check(name, found,
          expected[name].map((v) => Math.min(127 / 128, Math.max(-1, v))),
          0.5 / 128 + kTolerance);
  }
  engine.dispose();
}

const [plyName, glbName] = process.argv.slice(2);
if (!glbName) {
  console.error("usage: node glb.mjs SCENE.ply SCENE.glb");
  process.exit(2);
}
const glb = fs.readFileSync(glbName);
const expected = expectedOf(fs.readFileSync(plyName));
console.log("the ply");
compare(attributesOf(glb), expected);
await validate(glb);
await compareWithBabylon(glb, expected);
compareWithSplatTransform(plyName, expected);
process.exit(failed ? 1 : 0);
