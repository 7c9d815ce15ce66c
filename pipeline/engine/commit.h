#pragma once

// How a stage's output becomes visible: written aside, then moved into place
// in a way that a kill at any instruction can be continued.
//
//   .nerfpipe/tmp/STAGE/key            fingerprint the work belongs to
//   .nerfpipe/tmp/STAGE/out/           outputs being written
//   .nerfpipe/tmp/STAGE/work/          what a resumed run goes on from
//   .nerfpipe/tmp/STAGE/manifest.json  present: the outputs are complete and
//                                      only have to be moved
//   .nerfpipe/tmp/STAGE/failure        last line of a failed run

#include "pipeline/base/report.h"
#include "pipeline/engine/manifest.h"
#include "pipeline/engine/workspace.h"

#include <string>

namespace nerfpipe {

// Throws the unfinished work of a stage away. A kill in between leaves nothing
// that a later run would go on from.
void DiscardUnfinished(const Workspace& workspace, const std::string& stage);

// Empties out/, and work/ too unless it belongs to the same fingerprint.
void PrepareUnfinished(const Workspace& workspace,
                       const std::string& stage,
                       const std::string& fingerprint);

bool HasUnfinished(const Workspace& workspace, const std::string& stage);

void NoteFailure(const Workspace& workspace,
                 const std::string& stage,
                 const std::string& line);
// Empty when the last run of the stage did not fail.
std::string LastFailure(const Workspace& workspace, const std::string& stage);

// Throws UserError when one of the paths exists and was not made by this
// stage: nothing of the user's is overwritten.
void RefuseForeignOutputs(const Workspace& workspace,
                          const std::string& stage,
                          const std::vector<std::string>& outputs);

// Declares the outputs in out/ complete, as described by `manifest`, and
// moves them into place.
void Commit(const Workspace& workspace,
            const Manifest& manifest,
            Report& report);

// Ends a commit that was cut short, if there is one. Outputs that the user
// altered since are kept under .nerfpipe/saved/.
void FinishCommit(const Workspace& workspace,
                  const std::string& stage,
                  Report& report);

}  // namespace nerfpipe
