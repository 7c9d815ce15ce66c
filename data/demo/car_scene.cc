// The toy car on its play mat: daylight from one side, soft shadows, light
// from all round dimmed in corners. All light is independent of the view but
// for a soft highlight on the toys.

#include "data/demo/demo_scene.h"
#include "data/demo/distance_grid.h"
#include "data/demo/play_mat.h"
#include "data/demo/texture.h"
#include "data/demo/toy_paint.h"
#include "data/demo/toys.h"

#include <cmath>
#include <cstdint>

namespace nerfpipe::demo {
namespace {

constexpr double kSurface = 1e-6;
constexpr Vec3 kPad = {0.05, 0.05, 0.05};
constexpr Vec3 kSun = {1.30, 1.20, 1.02};
// Factors that keep light in the range of a texture.
constexpr double kLightScale = 0.4;
constexpr double kTableScale = 0.8;
constexpr Vec3 kSky = {0.58, 0.63, 0.70};
constexpr Vec3 kBounce = {0.26, 0.24, 0.18};

Vec3 SunDirection() { return Normalize({0.50, -0.62, 0.95}); }

struct Span {
  double low;
  double high;
};

// Where the ray is inside the box; low > high when it misses.
Span Inside(const Ray& ray, Vec3 low, Vec3 high) {
  Span span{0, 1e30};
  const double o[3] = {ray.origin.x, ray.origin.y, ray.origin.z};
  const double d[3] = {ray.direction.x, ray.direction.y, ray.direction.z};
  const double a[3] = {low.x, low.y, low.z};
  const double b[3] = {high.x, high.y, high.z};
  for (int i = 0; i < 3; ++i) {
    if (d[i] == 0) {
      if (o[i] < a[i] || o[i] > b[i]) return {1, 0};
      continue;
    }
    const double t0 = (a[i] - o[i]) / d[i];
    const double t1 = (b[i] - o[i]) / d[i];
    span.low = std::max(span.low, std::min(t0, t1));
    span.high = std::min(span.high, std::max(t0, t1));
  }
  return span;
}

class CarScene : public DemoScene {
 public:
  CarScene(double detail, int threads)
      : grid_(kToysLow - kPad,
              kToysHigh + kPad,
              std::max(0.035, 0.035 * std::cbrt(1 / detail)),
              threads) {
    const double table_texel = 0.0042 / detail;
    const double room_texel = 0.022 / detail;
    const Vec2 room{kRoomHalf, kRoomHalf};
    const Texture light(
        kTableHalf * -1, kTableHalf, 0.02, threads, [this](Vec2 p) {
          return LightAt({p.x, p.y, 0}, {0, 0, 1}).Total() * kLightScale;
        });
    table_ =
        Texture(kTableHalf * -1, kTableHalf, table_texel, threads, [&](Vec2 p) {
          return TableColor(p) * light.Sample(p, 0, 0, {1, 0}) *
                 (kTableScale / kLightScale);
        });
    floor_ = Texture(room * -1, room, room_texel, threads, FloorColor);
    for (int i = 0; i < 4; ++i) {
      walls_[i] = Texture({-kRoomHalf, kFloorZ},
                          {kRoomHalf, kCeilingZ},
                          room_texel,
                          threads,
                          [i](Vec2 p) { return WallColor(i, p); });
    }
  }

  Hit Trace(const Ray& ray) const override {
    Hit hit = TraceRoom(ray);
    if (ray.direction.z < 0) {
      const double t = -ray.origin.z / ray.direction.z;
      const Vec3 p = ray.origin + ray.direction * t;
      if (t > 0 && BoxDistance(Vec2{p.x, p.y}, kTableHalf, 0.8) < 0) {
        hit = {t, static_cast<int>(Part::kTable)};
      }
    }
    TraceToys(ray, &hit);
    return hit;
  }

  Vec3 Shade(const Ray& ray, const Hit& hit, double spread) const override {
    const Vec3 p = ray.origin + ray.direction * hit.distance;
    const double far = Length(ray.direction) * hit.distance;
    const double width = far * spread;
    const Part part = static_cast<Part>(hit.part);
    if (part == Part::kTable) return ShadeFlat(table_, ray, p, width);
    if (hit.part >= kFirstWall) return ShadeRoom(ray, hit, p, width);
    return ShadeToy(part, p, Normalize(ray.direction), width);
  }

 private:
  // Parts of the room, apart from those of the toys: four walls, floor and
  // ceiling.
  static constexpr int kFirstWall = 1000;
  static constexpr int kFloorPart = kFirstWall + 4;
  static constexpr int kCeilingPart = kFirstWall + 5;

  static Hit TraceRoom(const Ray& ray) {
    const Vec3& o = ray.origin;
    const Vec3& d = ray.direction;
    Hit hit{1e30, 0};
    const auto consider = [&hit](double t, int part) {
      if (t > 0 && t < hit.distance) hit = {t, part};
    };
    if (d.x > 0) consider((kRoomHalf - o.x) / d.x, kFirstWall);
    if (d.x < 0) consider((-kRoomHalf - o.x) / d.x, kFirstWall + 1);
    if (d.y > 0) consider((kRoomHalf - o.y) / d.y, kFirstWall + 2);
    if (d.y < 0) consider((-kRoomHalf - o.y) / d.y, kFirstWall + 3);
    if (d.z < 0) consider((kFloorZ - o.z) / d.z, kFloorPart);
    if (d.z > 0) consider((kCeilingZ - o.z) / d.z, kCeilingPart);
    return hit;
  }

  // Replaces `hit` by a toy in front of it.
  void TraceToys(const Ray& ray, Hit* hit) const {
    const Span span = Inside(ray, kToysLow, kToysHigh);
    const double end = std::min(span.high, hit->distance);
    const double length = Length(ray.direction);
    double t = span.low;
    double last_d = 0;
    for (int i = 0; i < 400 && t < end; ++i) {
      const Vec3 p = ray.origin + ray.direction * t;
      const double rough = grid_.At(p);
      if (rough > 2 * grid_.cell()) {
        t += (rough - grid_.cell()) / length;
        last_d = 0;
        continue;
      }
      const double d = NearestToy(p, grid_.SolidsAt(p)).distance;
      if (d < kSurface || Settle(ray, last_d, d, &t)) {
        const Vec3 q = ray.origin + ray.direction * t;
        const Shape shape = NearestToy(q, grid_.SolidsAt(q));
        if (t < end) *hit = {t, static_cast<int>(shape.part)};
        return;
      }
      t += d / length;
      last_d = d;
    }
  }

  // Looks for the surface by secants from *t on, where the distance is d and
  // to where a step of last_d was taken. True when it was reached, with its
  // place in *t; else *t is as it was.
  bool Settle(const Ray& ray, double last_d, double d, double* t) const {
    if (d > 0.03 || d > 0.9 * last_d) return false;
    const double length = Length(ray.direction);
    const double limit = *t + 4 * d / length;
    double t0 = *t;
    double d0 = d;
    double t1 = t0 + d0 * last_d / (last_d - d0) / length;
    if (t1 > limit) return false;
    for (int i = 0; i < 5; ++i) {
      const Vec3 p = ray.origin + ray.direction * t1;
      const double d1 = NearestToy(p, grid_.SolidsAt(p)).distance;
      if (std::abs(d1) < kSurface) {
        *t = t1;
        return true;
      }
      if (d1 >= d0) return false;
      const double next = t1 + d1 * (t1 - t0) / (d0 - d1);
      if (next > limit || next < *t) return false;
      t0 = t1;
      d0 = d1;
      t1 = next;
    }
    return false;
  }

  // Fraction of the sun that is seen from p.
  double SunAt(Vec3 p) const {
    const Vec3 sun = SunDirection();
    double light = 1;
    double t = 0.03;
    for (int i = 0; i < 60; ++i) {
      const Vec3 q = p + sun * t;
      if (q.z > kToysHigh.z + 0.3) break;
      const double d = grid_.At(q);
      light = std::min(light, 0.5 + 0.5 * d / (0.11 * t));
      if (light <= 0) return 0;
      t += std::clamp(std::abs(d), 0.03, 0.5);
    }
    return light * light * (3 - 2 * light);
  }

  // Fraction of the surroundings that is seen from p: 1 in the open.
  double OpennessAt(Vec3 p, Vec3 n) const {
    double hidden = 0;
    double weight = 0.55;
    for (int i = 0; i < 5; ++i) {
      const double h = 0.04 + 0.13 * i * (1 + 0.25 * i);
      const Vec3 q = p + n * h;
      const double d = n.z > 0.99 ? grid_.At(q) : std::min(grid_.At(q), q.z);
      hidden += weight * std::clamp((h - d) / h, 0.0, 1.0);
      weight *= 0.72;
    }
    return std::max(0.12, 1 - 0.62 * hidden);
  }

  struct Light {
    Vec3 direct;
    Vec3 around;
    double sun = 0;   // fraction seen, 0 on the far side
    double open = 0;  // fraction of the surroundings seen
    Vec3 Total() const { return direct + around; }
  };

  Light LightAt(Vec3 p, Vec3 n) const {
    Light light;
    const double facing = Dot(n, SunDirection());
    light.sun = facing > 0 ? SunAt(p + n * 0.02) : 0;
    light.open = OpennessAt(p, n);
    // The pool of light on the table.
    const double pool =
        1 - 0.38 * SmoothStep(2.5, 9.5, Length(Vec2{p.x - 0.6, p.y + 0.8}));
    light.direct = kSun * (std::max(facing, 0.0) * light.sun * pool);
    light.around = Mix(kBounce, kSky, 0.5 + 0.5 * n.z) * (light.open * pool);
    return light;
  }

  // A flat texture seen at a slant.
  static Vec3 ShadeFlat(const Texture& texture,
                        const Ray& ray,
                        Vec3 p,
                        double width) {
    const double slope = std::abs(ray.direction.z) / Length(ray.direction);
    const Vec2 level{ray.direction.x, ray.direction.y};
    const double length = std::max(Length(level), 1e-12);
    return texture.Sample({p.x, p.y},
                          width,
                          width / std::max(slope, 0.02),
                          level * (1 / length)) *
           (1 / kTableScale);
  }

  Vec3 ShadeRoom(const Ray& ray, const Hit& hit, Vec3 p, double width) const {
    if (hit.part == kFloorPart)
      return ShadeFlat(floor_, ray, p, width) * kTableScale;
    if (hit.part == kCeilingPart) return {0.5, 0.49, 0.46};
    const int wall = hit.part - kFirstWall;
    const double along = wall < 2 ? p.y : p.x;
    return walls_[wall].Sample({along, p.z}, width, width, {1, 0});
  }

  Vec3 NormalAt(Vec3 p) const {
    constexpr double kStep = 4e-4;
    constexpr Vec3 kCorners[4] = {
        {1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
    const uint32_t solids = grid_.SolidsAt(p);
    Vec3 sum;
    for (const Vec3& corner : kCorners) {
      sum = sum + corner * NearestToy(p + corner * kStep, solids).distance;
    }
    // There is no normal in the slit between two things that touch.
    const double length = Length(sum);
    return length > 1e-12 ? sum * (1 / length) : Vec3{0, 0, 1};
  }

  Vec3 ShadeToy(Part part, Vec3 p, Vec3 view, double width) const {
    const Vec3 n = NormalAt(p);
    const Coat coat = CoatOf(part, p, n, std::max(0.008, 2 * width));
    const Light light = LightAt(p, n);
    // Highlight of the sun and a faint gleam of the bright upper room.
    const Vec3 mirror = view - n * (2 * Dot(view, n));
    const double sun = std::max(0.0, Dot(mirror, SunDirection()));
    const double facing = Clamp01(-Dot(view, n));
    const double rim = std::pow(1 - facing, 4);
    const double room = SmoothStep(-0.1, 0.9, mirror.z);
    const double gleam = 0.35 * std::pow(sun, 28) * light.sun +
                         (0.03 + 0.25 * rim) * room * light.open;
    return coat.color * light.Total() +
           Vec3{1, 0.97, 0.92} * (coat.gloss * gleam);
  }

  DistanceGrid grid_;
  Texture table_;
  Texture floor_;
  Texture walls_[4];
};

}  // namespace

std::unique_ptr<DemoScene> MakeCarScene(double detail, int threads) {
  return std::make_unique<CarScene>(detail, threads);
}

}  // namespace nerfpipe::demo
