#include "stages/common/colmap_camera_models.h"
#include "stages/common/colmap_model_files.h"

#include <charconv>
#include <type_traits>
#include <utility>

namespace nerfpipe::colmap_files {
namespace {

// Lines of a text, without their ends (either kind).
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  bool Next(std::string_view* line) {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    *line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view()
                                          : rest_.substr(end + 1);
    if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
    ++number_;
    return true;
  }

  // The next line that is neither blank nor a comment.
  bool NextRecord(std::string_view* line) {
    while (Next(line)) {
      const size_t start = line->find_first_not_of(" \t");
      if (start != std::string_view::npos && (*line)[start] != '#') return true;
    }
    return false;
  }

  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

// Words of one line.
class Words {
 public:
  Words(std::string_view line, const std::string& file, int number)
      : rest_(line), file_(file), number_(number) {
    SkipBlanks();
  }

  bool AtEnd() const { return rest_.empty(); }

  std::string_view Word(const char* what) {
    if (AtEnd()) Fail(std::string("ends before ") + what);
    const size_t end = rest_.find_first_of(" \t");
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(word.size());
    SkipBlanks();
    return word;
  }

  template <typename T>
  T Number(const char* what) {
    const std::string_view word = Word(what);
    T value{};
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), value);
    // Numbers too small for a double are zero for every purpose here; numbers
    // too large are refused.
    const bool underflow = std::is_floating_point_v<T> &&
                           error == std::errc::result_out_of_range &&
                           word.find("e-") != std::string_view::npos;
    if ((error != std::errc() && !underflow) ||
        end != word.data() + word.size()) {
      Fail("has '" + std::string(word.substr(0, 40)) + "' for " + what);
    }
    return value;
  }

  // What is left, without blanks at its end.
  std::string Rest() {
    const size_t last = rest_.find_last_not_of(" \t");
    std::string rest(
        rest_.substr(0, last == std::string_view::npos ? 0 : last + 1));
    rest_ = {};
    return rest;
  }

  [[noreturn]] void Fail(const std::string& what) const {
    FailRead(file_, "line " + std::to_string(number_) + " " + what);
  }

 private:
  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  std::string_view rest_;
  const std::string& file_;
  int number_;
};

Eigen::Vector3d ReadVector3(Words* words, const char* what) {
  const double x = words->Number<double>(what);
  const double y = words->Number<double>(what);
  const double z = words->Number<double>(what);
  return {x, y, z};
}

}  // namespace

void ParseCamerasText(std::string_view bytes,
                      const std::string& file,
                      ColmapModel* model) {
  LineReader lines(bytes);
  std::string_view line;
  while (lines.NextRecord(&line)) {
    Words words(line, file, lines.number());
    const uint32_t id = words.Number<uint32_t>("the camera's number");
    const std::string_view name = words.Word("the camera model");
    const ColmapCameraModel* kind = FindColmapCameraModel(name);
    if (kind == nullptr) {
      words.Fail("has the unknown camera model '" +
                 std::string(name.substr(0, 40)) + "'");
    }
    ColmapCamera camera;
    camera.model_id = kind->id;
    camera.width = words.Number<int64_t>("the width");
    camera.height = words.Number<int64_t>("the height");
    camera.params.resize(kind->num_params);
    for (double& param : camera.params) {
      param = words.Number<double>("a camera parameter");
    }
    if (!words.AtEnd()) words.Fail("has too many camera parameters");
    AddCamera(id, std::move(camera), file, model);
  }
}

void ParseImagesText(std::string_view bytes,
                     const std::string& file,
                     ColmapModel* model) {
  LineReader lines(bytes);
  std::string_view line;
  while (lines.NextRecord(&line)) {
    Words words(line, file, lines.number());
    const uint32_t id = words.Number<uint32_t>("the image's number");
    Eigen::Vector4d quaternion;
    for (int k = 0; k < 4; ++k) {
      quaternion[k] = words.Number<double>("the rotation");
    }
    ColmapImage image;
    image.camera_from_world.translation =
        ReadVector3(&words, "the translation");
    image.camera_id = words.Number<uint32_t>("the camera's number");
    image.name = words.Rest();
    // The second line of a record; it is empty without observations.
    if (!lines.Next(&line)) {
      FailRead(file,
               "ends before the observations of image '" + image.name + "'");
    }
    Words observations(line, file, lines.number());
    while (!observations.AtEnd()) {
      ColmapImage::Observation& observation = image.observations.emplace_back();
      observation.xy.x() = observations.Number<double>("x");
      observation.xy.y() = observations.Number<double>("y");
      observation.point3d_id = observations.Number<int64_t>("a point's number");
    }
    AddImage(id, quaternion, std::move(image), file, model);
  }
}

void ParsePointsText(std::string_view bytes,
                     const std::string& file,
                     ColmapModel* model) {
  LineReader lines(bytes);
  std::string_view line;
  while (lines.NextRecord(&line)) {
    Words words(line, file, lines.number());
    const uint64_t id = words.Number<uint64_t>("the point's number");
    ColmapPoint point;
    point.xyz = ReadVector3(&words, "the position");
    for (uint8_t& channel : point.rgb) {
      channel = words.Number<uint8_t>("the colour");
    }
    point.error = words.Number<double>("the error");
    while (!words.AtEnd()) {
      ColmapPoint::TrackElement& element = point.track.emplace_back();
      element.image_id = words.Number<uint32_t>("an image's number");
      element.observation = words.Number<uint32_t>("an observation's number");
    }
    AddPoint(id, std::move(point), file, model);
  }
}

}  // namespace nerfpipe::colmap_files
