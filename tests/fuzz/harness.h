#pragma once

// What the fuzzing programs share: NERFPIPE_READER names the reader that is fed
// with damaged files, and without it their names are listed. A reader may
// refuse a file with UserError and in no other way. run.sh does all of them.

#include <filesystem>
#include <map>
#include <string>

namespace nerfpipe::fuzz {

using Reader = void (*)(const std::string& bytes);

// By name. To be defined by each program.
const std::map<std::string, Reader>& Readers();

// NERFPIPE_FUZZ_FOLDER: best in memory, and of one process alone.
const std::filesystem::path& Folder();

// The bytes as a file in it.
std::filesystem::path Written(const std::string& name,
                              const std::string& bytes);

// As many images as the seeds of the layouts name: 0.png and so on.
void WriteImagesOnce(const std::filesystem::path& folder);

}  // namespace nerfpipe::fuzz
