#pragma once

// Options are plain structs with defaults at the field. A group lists their
// fields once; configuration files, --set, `nerfpipe config`, error messages
// and fingerprints are all made from that list.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nerfpipe {

// Does an option change what a stage writes, or only how fast or how loudly?
enum class Effect { kResult, kNone };

// One option, bound to a field of a struct that outlives it.
struct OptionField {
  std::string name;  // "every"; its full name is "extract.every"
  std::string help;  // one sentence; says the unit
  std::string type;  // "integer", "number", "yes/no", "text", "one of a|b|c"
  std::string default_text;
  Effect effect = Effect::kResult;
  // Reads `text` into the field; returns what is wrong with it, or nothing.
  std::function<std::optional<std::string>(std::string_view text)> set;
  // The value now, in the form that `set` reads.
  std::function<std::string()> get;
};

class OptionGroup {
 public:
  static constexpr Effect kNoEffect = Effect::kNone;

  explicit OptionGroup(std::string name) : name_(std::move(name)) {}

  // Values outside [low, high] are refused with a message that says the range.
  OptionGroup& Integer(std::string name,
                       int* field,
                       std::string help,
                       int low,
                       int high,
                       Effect effect = Effect::kResult);
  OptionGroup& Number(std::string name,
                      double* field,
                      std::string help,
                      double low,
                      double high,
                      Effect effect = Effect::kResult);
  OptionGroup& Flag(std::string name,
                    bool* field,
                    std::string help,
                    Effect effect = Effect::kResult);
  OptionGroup& Text(std::string name,
                    std::string* field,
                    std::string help,
                    Effect effect = Effect::kResult);
  OptionGroup& Choice(std::string name,
                      std::string* field,
                      std::vector<std::string> choices,
                      std::string help,
                      Effect effect = Effect::kResult);

  const std::string& name() const { return name_; }
  const std::vector<OptionField>& fields() const { return fields_; }
  const OptionField* Find(std::string_view field_name) const;

 private:
  OptionGroup& Add(OptionField field);

  std::string name_;
  std::vector<OptionField> fields_;
};

}  // namespace nerfpipe
