#pragma once

// What is printed on the table, and the room around it.

#include "data/demo/vec.h"

namespace nerfpipe::demo {

// Half sides of the table's top and of the mat that lies on it.
inline constexpr Vec2 kTableHalf = {7.2, 6.2};
inline constexpr Vec2 kMatHalf = {6.5, 5.5};

// Reflectance of the table's top at p.
Vec3 TableColor(Vec2 p);

// Half sides of the room; the floor and the ceiling, with the table's top at 0.
inline constexpr double kRoomHalf = 17;
inline constexpr double kFloorZ = -4.5;
inline constexpr double kCeilingZ = 9;

// Light that leaves the floor at p (its shadows included).
Vec3 FloorColor(Vec2 p);
// Light that leaves wall 0 to 3 at (along the wall, height).
Vec3 WallColor(int wall, Vec2 p);

}  // namespace nerfpipe::demo
