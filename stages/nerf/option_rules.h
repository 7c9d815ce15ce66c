#pragma once

// Which options go together: what their fields alone do not give away.

#include "stages/nerf/options.h"

namespace nerfpipe::nerf {

// The same options. Throws UserError where they do not go together.
const NgpOptions& Checked(const NgpOptions& options);

}  // namespace nerfpipe::nerf
