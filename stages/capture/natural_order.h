#pragma once

#include <string_view>

namespace nerfpipe {

// Orders names as people do: "2.jpg" before "10.jpg", case aside. Of paths what
// lies in one folder stays together.
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace nerfpipe
