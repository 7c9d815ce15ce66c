// A single transforms.json, as instant-ngp and nerfstudio write it.

#include "pipeline/base/error.h"
#include "stages/media/image_file.h"
#include "stages/nerf/data/json_file.h"
#include "stages/nerf/data/posed_image.h"

#include <cmath>

namespace nerfpipe::nerf {
namespace {

namespace fs = std::filesystem;

// A field of the frame, else of the whole file.
class Fields {
 public:
  Fields(const nlohmann::json& root,
         const nlohmann::json& frame,
         const fs::path& file)
      : root_(root), frame_(frame), file_(file) {}

  std::optional<double> Get(const char* name) const {
    const std::optional<double> own = NumberIn(frame_, name, file_);
    return own ? own : NumberIn(root_, name, file_);
  }

 private:
  const nlohmann::json& root_;
  const nlohmann::json& frame_;
  const fs::path& file_;
};

void RefuseDistortion(const nlohmann::json& root,
                      const Fields& fields,
                      const fs::path& file) {
  const std::string remedy =
      "undistort the images, or let nerfpipe run solve them anew";
  for (const char* name : {"k1", "k2", "k3", "k4", "p1", "p2"}) {
    if (fields.Get(name).value_or(0) != 0) {
      throw UserError("the cameras of " + file.string() + " are distorted (" +
                          name + " is not zero)",
                      remedy);
    }
  }
  const auto model = root.find("camera_model");
  if (model != root.end() && model->is_string()) {
    const std::string name = model->get<std::string>();
    if (name != "OPENCV" && name != "PINHOLE" && name != "SIMPLE_PINHOLE" &&
        name != "SIMPLE_RADIAL" && name != "RADIAL" && name != "perspective") {
      throw UserError("the cameras of " + file.string() + " are of the kind " +
                          name + ", not pinhole",
                      remedy);
    }
  }
}

Pinhole PinholeOf(const Fields& fields,
                  const fs::path& image,
                  const fs::path& file) {
  Pinhole pinhole;
  const std::optional<double> width = fields.Get("w");
  const std::optional<double> height = fields.Get("h");
  if (width && height && *width >= 1 && *height >= 1 && *width < 1e6 &&
      *height < 1e6) {
    pinhole.width = static_cast<int>(std::lround(*width));
    pinhole.height = static_cast<int>(std::lround(*height));
  } else {
    const ImageSize size = ReadImageSize(image);
    pinhole.width = size.width;
    pinhole.height = size.height;
  }
  const auto from_angle = [&](const char* name, int side) {
    const std::optional<double> angle = fields.Get(name);
    return angle ? std::optional(0.5 * side / std::tan(0.5 * *angle))
                 : std::nullopt;
  };
  std::optional<double> fx = fields.Get("fl_x");
  std::optional<double> fy = fields.Get("fl_y");
  if (!fx && !fy) {
    fx = from_angle("camera_angle_x", pinhole.width);
    fy = from_angle("camera_angle_y", pinhole.height);
  }
  pinhole.fx = fx ? *fx : fy.value_or(0);
  pinhole.fy = fy ? *fy : pinhole.fx;
  if (!(pinhole.fx > 0 && pinhole.fy > 0)) {
    throw UserError(file.string() +
                        ": there is neither \"fl_x\" nor "
                        "\"camera_angle_x\" for " +
                        image.filename().string(),
                    "write the file again with the tool that made it");
  }
  pinhole.cx = fields.Get("cx").value_or(pinhole.width / 2.0);
  pinhole.cy = fields.Get("cy").value_or(pinhole.height / 2.0);
  return pinhole;
}

// The file itself, or with the suffix that the json left out.
fs::path FindImage(const fs::path& folder, const std::string& name) {
  for (const char* suffix : {"", ".png", ".jpg", ".jpeg"}) {
    const fs::path candidate = (folder / (name + suffix)).lexically_normal();
    if (fs::is_regular_file(candidate)) {
      return candidate;
    }
  }
  return {};
}

// Where "mask_path" points; of nerfstudio's sets every frame has one or none.
fs::path MaskOf(const nlohmann::json& frame,
                const fs::path& folder,
                const fs::path& json_file) {
  const auto path = frame.find("mask_path");
  if (path == frame.end()) return {};
  if (!path->is_string()) {
    throw UserError(json_file.string() + ": a \"mask_path\" is no text",
                    "write the file again with the tool that made it");
  }
  return (folder / path->get<std::string>()).lexically_normal();
}

}  // namespace

PosedImages ReadTransforms(const fs::path& json_file,
                           int factor,
                           int llffhold,
                           Report& report) {
  const nlohmann::json root = ReadCameraJson(json_file);
  const fs::path folder = json_file.parent_path();
  std::vector<PosedImage> all;
  std::vector<std::string> missing;
  for (const nlohmann::json& frame : root["frames"]) {
    const std::string name = FilePathOf(frame, json_file);
    PosedImage image;
    image.file = FindImage(folder, name);
    if (image.file.empty()) {
      missing.push_back(name);
      continue;
    }
    const Fields fields(root, frame, json_file);
    RefuseDistortion(root, fields, json_file);
    image.name = image.file.lexically_relative(folder).string();
    image.mask = MaskOf(frame, folder, json_file);
    image.camera = MakeCamera(PoseOfFrame(frame, json_file),
                              PinholeOf(fields, image.file, json_file));
    all.push_back(std::move(image));
  }
  if (all.empty()) {
    throw UserError("none of the " + std::to_string(missing.size()) +
                        " images of " + json_file.string() + " is there",
                    "keep the images where its \"file_path\" entries point");
  }
  if (!missing.empty()) {
    report.Warn(std::to_string(missing.size()) + " of " +
                std::to_string(missing.size() + all.size()) + " frames of " +
                json_file.filename().string() +
                " have no image and are left out, the first is " +
                missing.front() + ".");
  }
  UseFactor(folder, factor, &all);
  PosedImages result;
  SplitEvery(std::move(all), llffhold, &result);
  return result;
}

}  // namespace nerfpipe::nerf
