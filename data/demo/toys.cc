#include "data/demo/toys.h"

#include <bit>

namespace nerfpipe::demo {
namespace {

// The body's planes are bent a little; this keeps distances safe.
constexpr double kBend = 0.85;
constexpr int kFirstBlockSolid = 14;
constexpr double kWheelX = 1.22;
constexpr double kWheelY = 0.79;
constexpr double kWheelRadius = 0.37;

// Signed distance to a plane through (a, b) with a normal in that 2D frame.
double Plane(double a, double b, double at_a, double at_b, Vec2 normal) {
  return (a - at_a) * normal.x + (b - at_b) * normal.y;
}

// Lower part of the body, without the wheel arches.
double HullDistance(double x, double y, double z) {
  const double crown = z + 0.07 * y * y;
  const double wide = y + 0.035 * x * x;
  const double top = std::max(Plane(x, crown, 0.3, 1.0, {0.1160, 0.9932}),
                              Plane(x, crown, -1.2, 1.04, {-0.0499, 0.9988}));
  const double front = SmoothMax(Plane(x, z, 2.06, 0.5, {0.9615, 0.2747}),
                                 Plane(x, z, 2.06, 0.5, {0.8192, -0.5736}),
                                 0.12);
  const double rear = SmoothMax(Plane(x, z, -2.02, 0.62, {-0.9806, 0.1961}),
                                Plane(x, z, -2.02, 0.62, {-0.8944, -0.4472}),
                                0.12);
  const double side = SmoothMax(Plane(wide, z, 0.93, 0.6, {0.9578, 0.2873}),
                                Plane(wide, z, 0.93, 0.6, {0.9806, -0.1961}),
                                0.10);
  double d = SmoothMax(front, rear, 0.05);
  d = SmoothMax(d, side, 0.22);
  d = SmoothMax(d, top, 0.20);
  return SmoothMax(d, 0.27 - z, 0.08);
}

struct CabinPlanes {
  double front;
  double rear;
  double side;
  double roof;
};

CabinPlanes CabinAt(double x, double y, double z) {
  const double roof = z + 0.10 * y * y + 0.05 * (x + 0.35) * (x + 0.35) - 1.56;
  return {Plane(x + 0.10 * y * y, z, 0.82, 0.95, {0.6757, 0.7372}),
          Plane(x - 0.06 * y * y, z, -1.52, 0.98, {-0.7071, 0.7071}),
          Plane(y + 0.04 * x * x, z, 0.80, 0.95, {0.9578, 0.2873}),
          roof};
}

double CabinDistance(double x, double y, double z) {
  const CabinPlanes c = CabinAt(x, y, z);
  double d = SmoothMax(c.front, c.rear, 0.05);
  d = SmoothMax(d, c.side, 0.16);
  d = SmoothMax(d, c.roof, 0.16);
  return std::max(d, 0.6 - z);
}

Shape BodyAt(Vec3 p, double y) {
  const double hull = HullDistance(p.x, y, p.z);
  const double cabin = CabinDistance(p.x, y, p.z);
  double d = SmoothMin(hull, cabin, 0.07);
  const Vec2 wheel{std::abs(p.x) - kWheelX, p.z - kWheelRadius};
  const double radius = Length(wheel);
  const double flare = Length(Vec2{radius - 0.46, y - 0.81}) - 0.07;
  d = SmoothMin(d, SmoothMax(flare, 0.29 - p.z, 0.04), 0.06);
  d = SmoothMax(d, -std::max(radius - 0.43, 0.5 - y), 0.03);
  return {kBend * d, cabin < hull ? Part::kCabin : Part::kBody};
}

Shape TireAt(Vec3 p) {
  const Vec3 q = InWheel(p);
  const double radius = std::sqrt(q.x * q.x + q.z * q.z);
  const double tire =
      BoxDistance(Vec2{radius, q.y}, {kWheelRadius, 0.16}, 0.07);
  const double hollow =
      BoxDistance(Vec2{radius, q.y - 0.16}, {0.235, 0.08}, 0.02);
  return {SmoothMax(tire, -hollow, 0.02), Part::kTire};
}

Shape RimAt(Vec3 p) {
  const Vec3 q = InWheel(p);
  const double radius = std::sqrt(q.x * q.x + q.z * q.z);
  const double disc = BoxDistance(Vec2{radius, q.y - 0.07}, {0.23, 0.03}, 0.01);
  const double hub = Length(Vec3{q.x, 1.3 * (q.y - 0.06), q.z}) / 1.3 - 0.07;
  return {SmoothMin(disc, hub, 0.03), Part::kRim};
}

double BumperDistance(Vec3 p, double y) {
  const double curve = 0.10 * y * y;
  const Vec3 q{std::abs(p.x) + curve - 2.05, y, p.z - 0.40};
  return 0.9 * BoxDistance(q, {0.11, 0.74, 0.085}, 0.08);
}

double TailLightDistance(Vec3 p, double y) {
  const Vec3 q{p.x + 1.94, y - 0.53, p.z - 0.76};
  return BoxDistance(q, {0.06, 0.17, 0.085}, 0.05);
}

double PlateDistance(Vec3 p) {
  const double front =
      BoxDistance(p - Vec3{2.16, 0, 0.42}, {0.02, 0.29, 0.095}, 0.015);
  const double rear =
      BoxDistance(p - Vec3{-2.03, 0, 0.70}, {0.025, 0.29, 0.095}, 0.015);
  return std::min(front, rear);
}

double MirrorDistance(Vec3 p, double y) {
  const Vec3 mirror{(p.x - 0.63) * 1.3, y - 0.88, p.z - 1.06};
  const double arm =
      SegmentDistance(Vec3{p.x, y, p.z}, {0.63, 0.7, 0.98}, {0.63, 0.86, 1.04});
  return std::min((Length(mirror) - 0.09) / 1.3, arm - 0.025);
}

double SpoilerDistance(Vec3 p, double y) {
  const Vec3 wing{p.x + 1.78, y, p.z - 1.33 - 0.12 * (p.x + 1.78)};
  const Vec3 post{p.x + 1.72, y - 0.5, p.z - 1.13};
  return std::min(0.9 * BoxDistance(wing, {0.19, 0.76, 0.035}, 0.03),
                  BoxDistance(post, {0.07, 0.025, 0.2}, 0.02));
}

double PipeDistance(Vec3 p, double y) {
  return SegmentDistance(
             Vec3{p.x, y, p.z}, {-1.7, 0.42, 0.28}, {-2.1, 0.42, 0.28}) -
         0.055;
}

double ConeDistance(Vec3 q) {
  const double radius = std::sqrt(q.x * q.x + q.y * q.y);
  const double foot =
      BoxDistance(q - Vec3{0, 0, 0.03}, {0.27, 0.27, 0.03}, 0.02);
  // Side through (0.2, 0.05) and (0.05, 0.62).
  const double side = (radius - 0.2) * 0.9671 + (q.z - 0.05) * 0.2545;
  return std::min(foot, SmoothMax(side, q.z - 0.60, 0.04));
}

double PencilDistance(Vec3 p) {
  const Vec3 axis = kPencilHead - kPencilTail;
  const double length = Length(axis);
  const double along = Dot(p - kPencilTail, axis) / length;
  const double radius = Length(p - kPencilTail - axis * (along / length));
  const double shaft = std::max(radius - kPencilRadius, -along);
  const double tip =
      (radius - kPencilRadius) * 0.9487 + (along - length + 0.3) * 0.3162;
  return std::max(shaft, std::max(tip, along - length));
}

}  // namespace

Vec3 InWheel(Vec3 p) {
  return {std::abs(p.x) - kWheelX, std::abs(p.y) - kWheelY, p.z - kWheelRadius};
}

Vec3 InBlock(const Block& block, Vec3 p) {
  const Vec3 q = p - block.centre;
  const Vec2 turned = Rotate({q.x, q.y}, -block.angle);
  return {turned.x, turned.y, q.z};
}

Window WindowAt(Vec3 p) {
  const double y = std::abs(p.y);
  const CabinPlanes c = CabinAt(p.x, y, p.z);
  const double frame = 0.075;
  const double belt = p.z - 1.05;
  const double top = std::max({c.front, c.rear, c.side, c.roof});
  if (top == c.roof) return {Window::Face::kRoof, -1};
  if (top == c.side) {
    const double inner =
        SmoothMin(SmoothMin(-c.front, -c.rear, 0.1), -c.roof, 0.1) - frame;
    const double pillar = std::abs(p.x + 0.33) - 0.045;
    return {Window::Face::kSide,
            SmoothMin(SmoothMin(inner, belt, 0.1), pillar, 0.08)};
  }
  const double inner =
      SmoothMin(SmoothMin(-c.side, -c.roof, 0.1) - frame, belt, 0.1);
  return {top == c.front ? Window::Face::kFront : Window::Face::kRear, inner};
}

Shape SolidAt(int solid, Vec3 p) {
  const double y = std::abs(p.y);  // the car is symmetric
  switch (solid) {
    case 0:
      return BodyAt(p, y);
    case 1:
      return TireAt(p);
    case 2:
      return RimAt(p);
    case 3:
      return {BumperDistance(p, y), Part::kBumper};
    case 4:
      return {Length(Vec3{p.x - 1.80, y - 0.55, p.z - 0.74}) - 0.185,
              Part::kHeadlight};
    case 5:
      return {TailLightDistance(p, y), Part::kTailLight};
    case 6:
      return {PlateDistance(p), Part::kPlate};
    case 7:
      return {MirrorDistance(p, y), Part::kMirror};
    case 8:
      return {SpoilerDistance(p, y), Part::kSpoiler};
    case 9:
      return {PipeDistance(p, y), Part::kPipe};
    case 10:
      return {
          std::min(ConeDistance(p - kCones[0]), ConeDistance(p - kCones[1])),
          Part::kCone};
    case 11:
      return {ConeDistance(p - kCones[2]), Part::kCone};
    case 12:
      return {Length(p - kBall) - kBallRadius, Part::kBall};
    case 13:
      return {PencilDistance(p), Part::kPencil};
    default: {
      const Block& block = kBlocks[solid - kFirstBlockSolid];
      const double half = block.half;
      return {BoxDistance(InBlock(block, p), {half, half, half}, 0.05),
              static_cast<Part>(static_cast<int>(Part::kBlock) + solid -
                                kFirstBlockSolid)};
    }
  }
}

Shape NearestToy(Vec3 p, uint32_t solids) {
  Shape nearest;
  for (; solids != 0; solids &= solids - 1) {
    const Shape shape = SolidAt(std::countr_zero(solids), p);
    if (shape.distance < nearest.distance) nearest = shape;
  }
  return nearest;
}

}  // namespace nerfpipe::demo
