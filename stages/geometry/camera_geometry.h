#pragma once

// Small vectors, camera frames and what a set of cameras has in common: a
// focus, an up direction, an average pose, a ring. Double precision.

#include <cmath>
#include <vector>

namespace nerfpipe {

struct Vec3 {
  double x = 0;
  double y = 0;
  double z = 0;
};

inline Vec3 operator+(const Vec3& a, const Vec3& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vec3 operator-(const Vec3& a, const Vec3& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vec3 operator-(const Vec3& a) { return {-a.x, -a.y, -a.z}; }
inline Vec3 operator*(double s, const Vec3& a) {
  return {s * a.x, s * a.y, s * a.z};
}
inline double Dot(const Vec3& a, const Vec3& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
inline Vec3 Cross(const Vec3& a, const Vec3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double Norm(const Vec3& a) { return std::sqrt(Dot(a, a)); }
// The zero vector stays zero.
inline Vec3 Normalised(const Vec3& a) {
  const double length = Norm(a);
  return length > 0 ? (1 / length) * a : a;
}
// Angle between two directions in radians, exact also for small angles.
inline double AngleBetween(const Vec3& a, const Vec3& b) {
  return std::atan2(Norm(Cross(a, b)), Dot(a, b));
}

// A camera's axes and centre in the world (OpenGL: right, up, backward).
struct Pose {
  Vec3 right = {1, 0, 0};
  Vec3 up = {0, 1, 0};
  Vec3 back = {0, 0, 1};
  Vec3 centre;
};

// A camera at `centre` whose backward axis is `back` and whose up axis is as
// near to `up` as possible.
Pose LookAlong(const Vec3& centre, const Vec3& back, const Vec3& up);
// Mean centre, backward axis and up axis, made orthogonal (recenter_poses of
// nerf-pytorch's load_llff.py).
Pose AveragePose(const std::vector<Pose>& poses);

// The value below which `share` (0 to 1) of the values lie, with linear
// interpolation as in numpy.percentile. `values` must not be empty.
double Quantile(std::vector<double> values, double share);

// The point nearest to all optical axes. Axes that pass far from it lose
// weight, so a few stray cameras do not move it. Meaningless for parallel
// axes: the caller checks that the cameras look at it.
Vec3 FocusPoint(const std::vector<Pose>& poses);

// The direction that is up for someone who held the camera: perpendicular to
// the cameras' level axes where those tell it, else the mean of their upright
// axes, else the normal of the plane that the cameras lie in. Captures whose
// pictures are stored on their side are recognised.
Vec3 UpDirection(const std::vector<Pose>& poses, const Vec3& focus);

// The circle about the axis through `focus` along `up` that follows a set of
// cameras. Angles are counted from `first_axis` towards `second_axis`.
struct Ring {
  Vec3 focus;
  Vec3 up;
  Vec3 first_axis;        // horizontal, towards the first camera
  Vec3 second_axis;       // up x first_axis
  double arc_start = 0;   // radians; the arc outside the widest gap
  double arc_length = 0;  // radians, 0 to 2 pi
};
Ring FitRing(const std::vector<Pose>& poses, const Vec3& focus, const Vec3& up);

}  // namespace nerfpipe
