#pragma once

// The solid things on the mat: the car and its props, as signed distances.

#include "data/demo/vec.h"

namespace nerfpipe::demo {

enum class Part {
  kTable,
  kRoom,
  kBody,
  kCabin,
  kTire,
  kRim,
  kBumper,
  kHeadlight,
  kTailLight,
  kPlate,
  kMirror,
  kSpoiler,
  kPipe,
  kCone,
  kBall,
  kPencil,
  kBlock,  // and the following ones: one value per block
};

struct Shape {
  double distance = 1e9;  // never more than the true distance
  Part part = Part::kTable;
};

// All toys stand in this box.
inline constexpr Vec3 kToysLow = {-4.3, -3.9, 0};
inline constexpr Vec3 kToysHigh = {4.3, 3.9, 1.75};

// The toys are made of this many solids, numbered from 0. Most points of space
// have only one or two of them near, so that the others can be left out.
inline constexpr int kSolids = 18;
Shape SolidAt(int solid, Vec3 p);

// The nearest of the solids whose bits are set in `solids`.
Shape NearestToy(Vec3 p, uint32_t solids = (1u << kSolids) - 1);

// Which face of the cabin a point on it belongs to, and how far inside the
// window of that face it is (negative: on the frame).
struct Window {
  enum class Face { kRoof, kFront, kRear, kSide };
  Face face = Face::kRoof;
  double inside = -1;
};
Window WindowAt(Vec3 p);

// Wheels: the point relative to its wheel's hub, y pointing outward.
Vec3 InWheel(Vec3 p);

// Props, each with its own frame.
struct Block {
  Vec3 centre;
  double half;
  double angle;
  char letters[4];  // +x, +y, top (and the rest), end
};
inline constexpr Block kBlocks[4] = {{{-2.75, 2.05, 0.36}, 0.36, 0.5, "ABC"},
                                     {{-2.10, 2.55, 0.30}, 0.30, -0.2, "K7X"},
                                     {{2.65, 2.45, 0.33}, 0.33, 1.1, "RTE"},
                                     {{-2.70, 2.08, 0.99}, 0.27, 0.15, "M3Z"}};
Vec3 InBlock(const Block& block, Vec3 p);
inline constexpr Vec3 kCones[3] = {
    {2.9, -1.75, 0}, {3.6, -1.45, 0}, {-3.3, -1.7, 0}};
inline constexpr Vec3 kBall = {-2.0, -2.5, 0.42};
inline constexpr double kBallRadius = 0.42;
inline constexpr Vec3 kPencilTail = {0.1, 2.75, 0.1};
inline constexpr Vec3 kPencilHead = {1.75, 2.2, 0.1};
inline constexpr double kPencilRadius = 0.1;

}  // namespace nerfpipe::demo
