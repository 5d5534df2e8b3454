// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler for Python: Pipelines/Translation.h with Python's types. Python code in
// dyadic/_compile.py decides what its arguments are; everything else happens in C++ and
// without the global interpreter lock.

#include "Arrays.h"
#include "dyadic/Pipelines/Translation.h"
#include "dyadic/Support/Error.h"
#include <exception>
#include <mutex>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace dyadic;

namespace {

/// Paths come as bytes: a file's name need not be UTF-8.
std::string text(const nb::bytes &bytes) { return {bytes.c_str(), bytes.size()}; }

[[noreturn]] void raise(const std::string &message) {
  nb::object type = nb::module_::import_("dyadic._errors").attr("Error");
  nb::object value =
      nb::steal(PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace"));
  PyErr_SetObject(type.ptr(), value.ptr());
  throw nb::python_error();
}

class Compilation {
public:
  Compilation(const nb::bytes &name, std::optional<nb::bytes> data, const nb::bytes &folder,
              const TranslateOptions &options, nb::object warn, nb::object progress)
      : warn(std::move(warn)), progress(std::move(progress)) {
    OnnxSource source{text(name), std::nullopt, text(folder)};
    if (data)
      source.bytes = llvm::StringRef(data->c_str(), data->size());
    stage([&]() -> llvm::Error {
      auto settings = checkOptions(options, source.name);
      if (!settings)
        return settings.takeError();
      auto created = Translation::create(source, std::move(*settings), listener());
      if (!created)
        return created.takeError();
      translation = std::move(*created);
      auto specs = translation->inputs();
      if (!specs)
        return specs.takeError();
      inputs = std::move(*specs);
      return llvm::Error::success();
    });
  }

  void calibrate(const nb::bytes &path, const std::vector<nb::bytes> &merge) {
    std::vector<std::string> tables;
    for (const nb::bytes &table : merge)
      tables.push_back(text(table));
    stage([&, file = text(path)] { return translation->calibrate(file, tables); });
  }
  void calibratePart(const nb::bytes &path, size_t index, size_t count) {
    stage([&, file = text(path)] { return translation->calibratePart(file, {index, count}); });
  }
  void calibrateAgain(const nb::bytes &path, const std::string &name, const std::string &table) {
    stage([&, file = text(path)] { return translation->calibrateAgain(file, name, table); });
  }
  /// A table, or nothing where the part has no samples.
  std::string measureSensitivity(size_t index, size_t count) {
    std::string table;
    stage([&]() -> llvm::Error {
      auto measured = translation->measureSensitivity({index, count});
      if (!measured)
        return measured.takeError();
      table = std::move(*measured);
      return llvm::Error::success();
    });
    return table;
  }
  void useTable(const std::string &name, const std::string &table) {
    stage([&] { return translation->useTable(name, table); });
  }

  void addArrays(const std::string &label, std::vector<std::string> names,
                 const std::vector<std::tuple<std::string, python::InputArray>> &arrays) {
    std::vector<NamedTensor> tensors;
    for (const auto &[name, array] : arrays)
      tensors.push_back({name, python::toTensor(array, name)});
    add([&] { return samplesFromArrays(label, inputs, std::move(names), std::move(tensors)); });
  }
  void addArray(const std::string &label, const python::InputArray &array) {
    Tensor tensor = python::toTensor(array, label);
    add([&] { return samplesFromArray(label, inputs, std::move(tensor)); });
  }
  void finishSamples(const std::string &label) {
    stage([&] { return translation->finishSamples(label); });
  }

  /// Where results go as soon as they are there; empty: nowhere.
  void setResults(const nb::bytes &plan, const nb::bytes &pareto, const nb::bytes &overrides) {
    results.plan = text(plan);
    results.pareto = text(pareto);
    results.overrides = text(overrides);
  }

  std::unique_ptr<Program> finish() {
    std::unique_ptr<Program> program;
    stage([&]() -> llvm::Error {
      if (!results.plan.empty() && !hasPlan())
        return quantizationOptionError("save-plan");
      if (llvm::Error error = translation->checkWritable(results, ""))
        return error;
      if (llvm::Error error = translation->finish())
        return error;
      if (llvm::Error error = writeResults())
        return error;
      auto loaded = translation->load();
      if (!loaded)
        return loaded.takeError();
      program = std::move(*loaded);
      return llvm::Error::success();
    });
    warn = progress = nb::none(); // no cycle through what they refer to
    return program;
  }

  /// The plan alone; what the search did, as text.
  std::string finishPlan() {
    stage([&]() -> llvm::Error {
      if (llvm::Error error = translation->checkWritable(results, ""))
        return error;
      if (llvm::Error error = translation->finishPlan())
        return error;
      return writeResults();
    });
    warn = progress = nb::none();
    return locked([&] { return toText(translation->searched()); });
  }

  void save(const nb::bytes &path) {
    write([&, file = text(path)](FileSet &files) { return translation->write(file, files); });
  }
  void savePlan(const nb::bytes &path) {
    write([&, file = text(path)](FileSet &files) {
      return hasPlan() ? files.write(file, planToJson(translation->plan())) : quantizationOptionError("save-plan");
    });
  }
  void saveCalibration(const nb::bytes &path) {
    write([&, file = text(path)](FileSet &files) {
      const CalibrationTable *table = translation->calibrationTable();
      return table ? files.write(file, toJson(*table)) : quantizationOptionError("save-calibration");
    });
  }
  void saveReport(const nb::bytes &path) {
    write([&, file = text(path)](FileSet &files) -> llvm::Error {
      if (llvm::Error error = checkReportPath(file))
        return error;
      return files.write(file, reportAs(file, translation->getReport()));
    });
  }

  void saveOverrides(const nb::bytes &path) {
    write([&, file = text(path)](FileSet &files) {
      return overridesJson() ? files.write(file, translation->overrides())
                             : makeError("no overrides were looked for, expected attribution=True");
    });
  }

  std::vector<std::tuple<std::string, std::string, std::vector<int64_t>>> inputTypes() const {
    std::vector<std::tuple<std::string, std::string, std::vector<int64_t>>> result;
    for (const InputSpec &spec : inputs)
      result.emplace_back(spec.name, elementName(spec.type), spec.shape);
    return result;
  }
  std::string target() const { return translation->getSettings().target.name(); }
  std::string reportJson() {
    return locked([&] { return toJson(translation->getReport()); });
  }
  std::string reportText() {
    return locked([&] { return toText(translation->getReport(), /*colours=*/false); });
  }
  std::optional<std::string> planJson() const {
    return hasPlan() ? std::optional<std::string>(planToJson(translation->plan())) : std::nullopt;
  }
  std::optional<std::string> tableJson() const {
    const CalibrationTable *table = translation->calibrationTable();
    return table ? std::optional<std::string>(toJson(*table)) : std::nullopt;
  }

  std::optional<std::string> overridesJson() const {
    const std::string &overrides = translation->overrides();
    return overrides.empty() ? std::nullopt : std::optional<std::string>(overrides);
  }

private:
  llvm::Error writeResults() {
    FileSet files;
    translation->protectInputs(files);
    if (llvm::Error error = translation->writeResults(results, files))
      return error;
    return files.commit();
  }

  bool hasPlan() const { return !translation->getSettings().isFloat; }

  /// Runs `body` without the interpreter's lock, which is therefore taken last.
  template <typename Body> std::invoke_result_t<Body> locked(Body body) {
    nb::gil_scoped_release release;
    std::lock_guard<std::mutex> lock(mutex);
    return body();
  }

  /// Runs a step. What it returns, or what Python raised meanwhile, becomes an exception.
  void stage(llvm::function_ref<llvm::Error()> body) {
    auto failure = locked([&]() -> std::optional<std::string> {
      if (llvm::Error error = body())
        return llvm::toString(std::move(error));
      return std::nullopt;
    });
    if (raised)
      std::rethrow_exception(std::exchange(raised, nullptr));
    if (failure)
      raise(*failure);
  }

  void add(llvm::function_ref<llvm::Expected<std::vector<Sample>>()> make) {
    stage([&]() -> llvm::Error {
      auto samples = make();
      if (!samples)
        return samples.takeError();
      return translation->addSamples(std::move(*samples));
    });
  }

  void write(llvm::function_ref<llvm::Error(FileSet &)> add) {
    stage([&]() -> llvm::Error {
      FileSet files;
      translation->protectInputs(files);
      if (llvm::Error error = add(files))
        return error;
      return files.commit();
    });
  }

  /// Calls into Python; what it raises ends the compilation at the next sample. False once
  /// something was raised.
  bool callPython(llvm::function_ref<void()> body) {
    nb::gil_scoped_acquire acquire;
    try {
      if (!raised)
        body();
    } catch (...) {
      raised = std::current_exception();
    }
    return !raised;
  }

  Listener listener() {
    auto isInterrupted = [this] {
      return !callPython([] {
        if (PyErr_CheckSignals() != 0)
          throw nb::python_error();
      });
    };
    auto showWarning = [this](llvm::StringRef message) {
      callPython([&] { warn(nb::str(message.data(), message.size())); });
    };
    auto showProgress = [this](llvm::StringRef what, size_t done, size_t total) {
      if (!progress.is_none() && what == "calibrating")
        callPython([&] { progress(done, total); });
    };
    return {showWarning, showProgress, isInterrupted};
  }

  ResultFiles results;
  nb::object warn, progress;
  std::exception_ptr raised; // guarded by the interpreter's lock
  std::mutex mutex;          // of the translation; taken without the interpreter's lock
  std::unique_ptr<Translation> translation;
  std::vector<InputSpec> inputs;
};

/// What `found` has; its error is raised.
template <typename T> T valueOf(llvm::Expected<T> found) {
  if (!found)
    raise(llvm::toString(found.takeError()));
  return std::move(*found);
}

/// What messages call the table at place `i` of several.
std::string partName(size_t i) { return "<part " + std::to_string(i) + ">"; }

/// One table of several, as one process would have made it.
std::string mergeCalibrations(const std::vector<std::string> &texts) {
  std::vector<NamedTable> tables;
  for (size_t i = 0; i < texts.size(); ++i)
    tables.push_back({partName(i), valueOf(parseTable(partName(i), texts[i]))});
  return toJson(valueOf(mergeTables(std::move(tables), std::nullopt)));
}

std::string mergeSensitivities(const std::vector<std::string> &texts) {
  std::optional<SensitivityTable> merged;
  for (size_t i = 0; i < texts.size(); ++i) {
    SensitivityTable table = valueOf(parseSensitivity(partName(i), texts[i]));
    if (!merged)
      merged = std::move(table);
    else if (llvm::Error error = mergeSensitivity(*merged, table, partName(i)))
      raise(llvm::toString(std::move(error)));
  }
  return toJson(*merged);
}

} // namespace

NB_MODULE(_compiler, m) {
  nb::module_::import_("dyadic._runtime"); // has the type of what finish returns
  m.doc() = "The compiler: imports models, calibrates, quantizes, writes libraries.";

  nb::class_<TranslateOptions>(m, "Options", "Options as the command line names them; None: not given.")
      .def(nb::init<>())
      .def_rw("has_calibration", &TranslateOptions::hasCalibration)
      .def_rw("is_float", &TranslateOptions::isFloat)
      .def_rw("integer_only", &TranslateOptions::integerOnly)
      .def_rw("dump_values", &TranslateOptions::dumpValues)
      .def_rw("detailed_report", &TranslateOptions::detailedReport)
      .def_rw("calibration_method", &TranslateOptions::calibrationMethod, nb::arg().none())
      .def_rw("tune", &TranslateOptions::tune, nb::arg().none())
      .def_rw("rounding", &TranslateOptions::rounding, nb::arg().none())
      .def_rw("weight_rounding", &TranslateOptions::weightRounding, nb::arg().none())
      .def_rw("io", &TranslateOptions::io, nb::arg().none())
      .def_rw("name", &TranslateOptions::name, nb::arg().none())
      .def_rw("budget", &TranslateOptions::budget, nb::arg().none())
      .def_rw("choices", &TranslateOptions::choices, nb::arg().none())
      .def_rw("cost", &TranslateOptions::cost, nb::arg().none())
      .def_rw("cache", &TranslateOptions::cache, nb::arg().none())
      .def_rw("time_limit", &TranslateOptions::timeLimit, nb::arg().none())
      .def_rw("attribution_target", &TranslateOptions::attributionTarget, nb::arg().none())
      .def_rw("pairs", &TranslateOptions::pairs, nb::arg().none())
      .def_rw("sensitivity_metric", &TranslateOptions::sensitivityMetric, nb::arg().none())
      .def_rw("plan_text", &TranslateOptions::planText, nb::arg().none())
      .def_rw("target", &TranslateOptions::target)
      .def_rw("input_shapes", &TranslateOptions::inputShapes)
      .def_rw("input_ranges", &TranslateOptions::inputRanges)
      .def(
          "set_bits", [](TranslateOptions &options, const nb::bytes &bits) { options.bits = text(bits); },
          nb::arg("bits"))
      .def(
          "set_attribution", [](TranslateOptions &options, const nb::bytes &path) { options.attribution = text(path); },
          nb::arg("path"))
      .def(
          "set_pareto", [](TranslateOptions &options, const nb::bytes &path) { options.pareto = text(path); },
          nb::arg("path"))
      .def(
          "set_sensitivity", [](TranslateOptions &options, const nb::bytes &path) { options.sensitivity = text(path); },
          nb::arg("path"));

  m.def("merge_calibrations", &mergeCalibrations, nb::arg("texts"), "One table of at least one.");
  m.def("merge_sensitivities", &mergeSensitivities, nb::arg("texts"), "One table of at least one.");

  nb::class_<Compilation>(m, "Compilation", "One compilation, stage by stage.")
      .def(nb::init<const nb::bytes &, std::optional<nb::bytes>, const nb::bytes &, const TranslateOptions &,
                    nb::object, nb::object>(),
           nb::arg("name"), nb::arg("data").none(), nb::arg("folder"), nb::arg("options"), nb::arg("warn"),
           nb::arg("progress").none())
      .def("calibrate", &Compilation::calibrate, nb::arg("path"), nb::arg("merge"))
      .def("calibrate_part", &Compilation::calibratePart, nb::arg("path"), nb::arg("index"), nb::arg("count"))
      .def("calibrate_again", &Compilation::calibrateAgain, nb::arg("path"), nb::arg("name"), nb::arg("text"))
      .def("measure_sensitivity", &Compilation::measureSensitivity, nb::arg("index"), nb::arg("count"))
      .def("use_table", &Compilation::useTable, nb::arg("name"), nb::arg("text"))
      .def("add_arrays", &Compilation::addArrays, nb::arg("label"), nb::arg("names"), nb::arg("arrays"),
           nb::sig("def add_arrays(self, label: str, names: collections.abc.Sequence[str], arrays: "
                   "collections.abc.Sequence[tuple[str, numpy.typing.NDArray[typing.Any]]]) -> None"))
      .def("add_array", &Compilation::addArray, nb::arg("label"), nb::arg("array"),
           nb::sig("def add_array(self, label: str, array: numpy.typing.NDArray[typing.Any]) -> None"))
      .def("finish_samples", &Compilation::finishSamples, nb::arg("label"))
      .def("set_results", &Compilation::setResults, nb::arg("plan"), nb::arg("pareto"), nb::arg("overrides"))
      .def("finish", &Compilation::finish)
      .def("finish_plan", &Compilation::finishPlan)
      .def("save", &Compilation::save, nb::arg("path"))
      .def("save_plan", &Compilation::savePlan, nb::arg("path"))
      .def("save_calibration", &Compilation::saveCalibration, nb::arg("path"))
      .def("save_overrides", &Compilation::saveOverrides, nb::arg("path"))
      .def("save_report", &Compilation::saveReport, nb::arg("path"))
      .def_prop_ro("inputs", &Compilation::inputTypes)
      .def_prop_ro("target", &Compilation::target)
      .def_prop_ro("report_json", &Compilation::reportJson)
      .def_prop_ro("report_text", &Compilation::reportText)
      .def_prop_ro("overrides_json", &Compilation::overridesJson)
      .def_prop_ro("plan_json", &Compilation::planJson)
      .def_prop_ro("table_json", &Compilation::tableJson);
}
