#pragma once

// What is to be solved, what was found so far, and the steps that every way to
// a solution is made of.

#include "stages/colmap/colmap_options.h"
#include "stages/colmap/features/features.h"
#include "stages/colmap/mapping/database_file.h"
#include "stages/colmap/mapping/mapping.h"
#include "stages/colmap/matching/camera_prior.h"
#include "stages/colmap/matching/matching.h"
#include "stages/colmap/matching/two_view.h"
#include "stages/colmap/memory_plan.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nerfpipe::sfm {

struct SolveJob {
  std::filesystem::path frames;
  std::filesystem::path masks;     // of frames that have one
  std::vector<std::string> names;  // in `frames`, in the order of the capture
  bool video = true;
  bool clips = false;          // not one walk but several, one after the other
  std::filesystem::path clip;  // of a video
  std::vector<int64_t> clip_indices;  // of a video: numbers of the frames in it
  int width = 0;                      // pixels, of the most frames
  int height = 0;
  // Of each frame, as EXIF told before it was written anew. Empty: all have the
  // size above, and nothing is known.
  std::vector<ImageLens> lenses;
  ColmapOptions options;
  MemoryPlan memory;
  // If not null: told the limit (MemoryPlan::LimitFor) under which a way would
  // have been tried that there was no room for.
  int64_t* memory_wanted = nullptr;
  std::filesystem::path database;  // to be written
  Workplace place;
};

// What one way gave.
struct Solution {
  // Those of the job, or with frames of the clip between them in a folder that
  // holds them all. In the order of the capture, and of the names.
  std::filesystem::path frames;
  std::vector<std::string> names;

  CameraPriors cameras;
  FeatureOptions feature_options;
  // Of `names`; numbers in pairs are places there, identifiers in models those
  // plus one.
  std::vector<Features> features;
  std::vector<MatchedPair> pairs;
  MappingResult mapping;

  int Count() const { return static_cast<int>(names.size()); }
};

// Images of the job in the chosen model.
int Registered(const SolveJob& job, const Solution& solution);
// Images of the job in any model.
int RegisteredAnywhere(const SolveJob& job, const Solution& solution);

// A place for what one way does besides.
Workplace Beside(const SolveJob& job, const std::string& way);

// What the search for cameras begins with: the simplest lens, where none was
// asked for.
std::string FirstCameraModel(const SolveJob& job);

CameraPriors PriorsOf(const SolveJob& job, const std::string& camera_model);
bool HasManyLensParameters(const SolveJob& job);

std::vector<ImagePair> PairsOf(const Solution& solution);

// Neighbours, and what looks like the same place.
std::vector<ImagePair> PairsByLooks(const SolveJob& job,
                                    const std::vector<Features>& features,
                                    int overlap);

// Adds those of `pairs` that are not matched yet; how many fit a geometry.
int AddPairs(const SolveJob& job,
             const std::vector<ImagePair>& pairs,
             const std::string& way,
             Solution* solution);

// Takes the features on still things out and matches the rest again. False if
// there are none.
bool LeaveOutStill(const SolveJob& job,
                   const Workplace& place,
                   Solution* solution);

// Writes what COLMAP reads: the solution's images and features, and `pairs`.
void WriteDatabaseOf(const Solution& solution,
                     const std::vector<MatchedPair>& pairs,
                     DatabaseContent content,
                     const std::filesystem::path& path);

// A database of what cameras are solved from: its path.
std::filesystem::path WriteChosenTracks(const SolveJob& job,
                                        const Solution& solution);

// Solves the images called `names` from that database, anew.
void Map(const SolveJob& job,
         const std::filesystem::path& database,
         const std::vector<std::string>& names,
         bool relaxed,
         Solution* solution);
// All of them.
void Map(const SolveJob& job, bool relaxed, Solution* solution);

// What stands in the solution, with all pairs and images of `database`.
void Extend(const SolveJob& job,
            const std::filesystem::path& database,
            bool adjust,
            Solution* solution);

// Gives the lenses of the model that stands what the pictures show of them
// (lens_choice.h), where their model was left open, and takes up what fits them
// then. Notes what is absurd about them.
void ImproveLens(const SolveJob& job,
                 const std::filesystem::path& database,
                 Solution* solution);

// The model that stands, with the places that it shows to be seen again. Work
// is kept under `way`, which is another for other features or images.
Solution WithLoops(const SolveJob& job,
                   const std::string& way,
                   const Solution& rough);

}  // namespace nerfpipe::sfm
