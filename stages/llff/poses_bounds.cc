#include "stages/llff/poses_bounds.h"

#include "pipeline/base/error.h"
#include "stages/common/axes.h"

namespace nerfpipe {

NpyArray PosesBoundsArray(const ColmapModel& model,
                          const Pinholes& cameras,
                          const std::vector<DepthBounds>& bounds) {
  const std::vector<uint32_t> ids = ImageIdsByName(model);
  NERFPIPE_CHECK(bounds.size() == ids.size());
  NpyArray array;
  array.shape = {static_cast<int64_t>(ids.size()), 17};
  for (size_t row = 0; row < ids.size(); ++row) {
    const ColmapImage& image = model.images.at(ids[row]);
    const Pinhole& camera = cameras.at(image.camera_id);
    const Rigid3 pose = LlffFromColmapAxes(image.camera_from_world.Inverse());
    const Eigen::Vector3d size_and_focal(
        camera.height, camera.width, camera.fx);
    for (int i = 0; i < 3; ++i) {
      array.values.insert(array.values.end(),
                          {pose.rotation(i, 0),
                           pose.rotation(i, 1),
                           pose.rotation(i, 2),
                           pose.translation[i],
                           size_and_focal[i]});
    }
    array.values.push_back(bounds[row].near);
    array.values.push_back(bounds[row].far);
  }
  return array;
}

}  // namespace nerfpipe
