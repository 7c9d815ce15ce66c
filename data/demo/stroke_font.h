#pragma once

// Capital letters and digits drawn with a round pen.

#include "data/demo/vec.h"

#include <string_view>

namespace nerfpipe::demo {

// Distance from p to the middle of the nearest stroke of `text`, whose capitals
// are `height` high; the text is centred on the origin and reads along x with
// y up. Unknown characters are spaces.
double TextDistance(std::string_view text, double height, Vec2 p);

}  // namespace nerfpipe::demo
