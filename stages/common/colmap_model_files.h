#pragma once

// The two encodings of a COLMAP model, one function per file. Private to
// stages/common: use colmap_model.h.

#include "stages/common/colmap_model.h"

#include <string_view>

namespace nerfpipe::colmap_files {

// Each adds the records of `bytes`, the whole content of one file, to `model`.
// `file` stands in messages. Counts are checked against the bytes that are
// left before anything is allocated. Throw UserError for damaged content.
void ParseCamerasBinary(std::string_view bytes,
                        const std::string& file,
                        ColmapModel* model);
void ParseImagesBinary(std::string_view bytes,
                       const std::string& file,
                       ColmapModel* model);
void ParsePointsBinary(std::string_view bytes,
                       const std::string& file,
                       ColmapModel* model);
void ParseCamerasText(std::string_view bytes,
                      const std::string& file,
                      ColmapModel* model);
void ParseImagesText(std::string_view bytes,
                     const std::string& file,
                     ColmapModel* model);
void ParsePointsText(std::string_view bytes,
                     const std::string& file,
                     ColmapModel* model);

// A UserError about `file`: "FILE: WHAT", with the common remedy.
[[noreturn]] void FailRead(const std::string& file, const std::string& what);

// Checked insertions shared by both encodings: values must make sense and
// identifiers must be new.
void AddCamera(uint32_t id,
               ColmapCamera camera,
               const std::string& file,
               ColmapModel* model);
// `quaternion` is w, x, y, z of camera_from_world.
void AddImage(uint32_t id,
              const Eigen::Vector4d& quaternion,
              ColmapImage image,
              const std::string& file,
              ColmapModel* model);
void AddPoint(uint64_t id,
              ColmapPoint point,
              const std::string& file,
              ColmapModel* model);

}  // namespace nerfpipe::colmap_files
