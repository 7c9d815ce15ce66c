#include "pipeline/engine/options.h"

#include "pipeline/base/error.h"
#include "pipeline/base/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace nerfpipe {
namespace {

// The shortest text that reads back as the same number.
std::string NumberText(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::string(text, end);
}

template <typename T>
std::optional<T> Parse(std::string_view text) {
  T value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) {
    return std::nullopt;
  }
  return value;
}

template <typename T>
std::string RangeText(T low, T high) {
  return NumberText(static_cast<double>(low)) + " to " +
         NumberText(static_cast<double>(high));
}

template <typename T>
std::optional<std::string> SetNumber(
    T* field, T low, T high, const char* kind, std::string_view text) {
  const std::optional<T> value = Parse<T>(text);
  if (!value) {
    return std::string("needs ") + kind + ", not '" + std::string(text) + "'";
  }
  if (!(*value >= low && *value <= high)) {
    return std::string(text) + " is outside " + RangeText(low, high);
  }
  *field = *value;
  return std::nullopt;
}

}  // namespace

OptionGroup& OptionGroup::Add(OptionField field) {
  NERFPIPE_CHECK(Find(field.name) == nullptr);
  field.default_text = field.get();
  fields_.push_back(std::move(field));
  return *this;
}

OptionGroup& OptionGroup::Integer(std::string name,
                                  int* field,
                                  std::string help,
                                  int low,
                                  int high,
                                  Effect effect) {
  return Add({std::move(name),
              std::move(help),
              "integer",
              "",
              effect,
              [=](std::string_view text) {
                return SetNumber(field, low, high, "a whole number", text);
              },
              [=] { return std::to_string(*field); }});
}

OptionGroup& OptionGroup::Number(std::string name,
                                 double* field,
                                 std::string help,
                                 double low,
                                 double high,
                                 Effect effect) {
  return Add({std::move(name),
              std::move(help),
              "number",
              "",
              effect,
              [=](std::string_view text) {
                return SetNumber(field, low, high, "a number", text);
              },
              [=] { return NumberText(*field); }});
}

OptionGroup& OptionGroup::Flag(std::string name,
                               bool* field,
                               std::string help,
                               Effect effect) {
  return Add({std::move(name),
              std::move(help),
              "yes/no",
              "",
              effect,
              [=](std::string_view text) -> std::optional<std::string> {
                if (text == "yes" || text == "true" || text == "on" ||
                    text == "1") {
                  *field = true;
                } else if (text == "no" || text == "false" || text == "off" ||
                           text == "0") {
                  *field = false;
                } else {
                  return "needs yes or no, not '" + std::string(text) + "'";
                }
                return std::nullopt;
              },
              [=] { return std::string(*field ? "yes" : "no"); }});
}

OptionGroup& OptionGroup::Text(std::string name,
                               std::string* field,
                               std::string help,
                               Effect effect) {
  return Add({std::move(name),
              std::move(help),
              "text",
              "",
              effect,
              [=](std::string_view text) -> std::optional<std::string> {
                *field = text;
                return std::nullopt;
              },
              [=] { return *field; }});
}

OptionGroup& OptionGroup::Choice(std::string name,
                                 std::string* field,
                                 std::vector<std::string> choices,
                                 std::string help,
                                 Effect effect) {
  std::string list;
  for (const std::string& choice : choices) {
    list += (list.empty() ? "" : "|") + choice;
  }
  return Add({std::move(name),
              std::move(help),
              list,
              "",
              effect,
              [=](std::string_view text) -> std::optional<std::string> {
                if (std::find(choices.begin(), choices.end(), text) ==
                    choices.end()) {
                  return "needs one of " + list + ", not '" +
                         std::string(text) + "'" + DidYouMean(text, choices);
                }
                *field = text;
                return std::nullopt;
              },
              [=] { return *field; }});
}

const OptionField* OptionGroup::Find(std::string_view field_name) const {
  for (const OptionField& field : fields_) {
    if (field.name == field_name) {
      return &field;
    }
  }
  return nullptr;
}

}  // namespace nerfpipe
