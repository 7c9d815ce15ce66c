#pragma once

// What exceptions of libraries mean to a person.

#include "pipeline/base/error.h"

#include <exception>
#include <optional>

namespace nerfpipe {

// Of ours, of the standard library and of memory; nothing for what can only be
// a bug.
std::optional<UserError> AsUserError(const std::exception& error);

}  // namespace nerfpipe
