// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dyadic/Transforms/Schedules.h"
#include "dyadic/IR/QnnDialect.h"
#include "dyadic/Support/Error.h"
#include "mlir/IR/Builders.h"
#include <optional>

using namespace mlir;

namespace dyadic {

using Kernel = KernelSchedule::Kernel;
using Order = KernelSchedule::Order;
static_assert(kMostScheduledRows == qnn::kMostRows, "plans say what packed operations can have");

static DictionaryAttr toAttribute(Builder &builder, const KernelSchedule &schedule) {
  NamedAttrList entries;
  if (schedule.kernel != Kernel::Auto)
    entries.append("kernel", builder.getStringAttr(scheduleName(kKernelNames, schedule.kernel)));
  if (schedule.order != Order::Auto)
    entries.append("order", builder.getStringAttr(scheduleName(kOrderNames, schedule.order)));
  if (schedule.rows != 0)
    entries.append("rows", builder.getI64IntegerAttr(schedule.rows));
  return entries.getDictionary(builder.getContext());
}

void setSchedules(ModuleOp module, const Schedules &schedules) {
  Builder builder(module.getContext());
  NamedAttrList cpus;
  for (const auto &[cpu, layers] : schedules) {
    NamedAttrList entries;
    for (const auto &[id, schedule] : layers)
      if (schedule != KernelSchedule())
        entries.append(id, toAttribute(builder, schedule));
    if (!entries.empty())
      cpus.append(cpu, entries.getDictionary(module.getContext()));
  }
  if (cpus.empty())
    module->removeAttr(kSchedulesAttr);
  else
    module->setAttr(kSchedulesAttr, cpus.getDictionary(module.getContext()));
}

void selectSchedule(ModuleOp module, StringRef cpu) {
  auto schedules = dyn_cast_or_null<DictionaryAttr>(module->removeAttr(kSchedulesAttr));
  if (schedules && schedules.contains(cpu))
    module->setAttr(kScheduleAttr, schedules.get(cpu));
}

/// The entries of one layer; nothing where one is unknown or wrong.
static std::optional<KernelSchedule> parse(DictionaryAttr entries) {
  KernelSchedule schedule;
  for (NamedAttribute entry : entries) {
    auto text = dyn_cast<StringAttr>(entry.getValue());
    auto number = dyn_cast<IntegerAttr>(entry.getValue());
    std::optional<Kernel> kernel = text ? parseScheduleName<Kernel>(kKernelNames, text) : std::nullopt;
    std::optional<Order> order = text ? parseScheduleName<Order>(kOrderNames, text) : std::nullopt;
    if (entry.getName() == "kernel" && kernel)
      schedule.kernel = *kernel;
    else if (entry.getName() == "order" && order)
      schedule.order = *order;
    else if (entry.getName() == "rows" && number && number.getValue().isIntN(8) &&
             number.getValue().getZExtValue() <= kMostScheduledRows)
      schedule.rows = static_cast<unsigned>(number.getValue().getZExtValue());
    else
      return std::nullopt;
  }
  return schedule;
}

FailureOr<KernelSchedule> scheduleOf(ModuleOp module, StringAttr id) {
  auto layers = module->getAttrOfType<DictionaryAttr>(kScheduleAttr);
  Attribute entry = layers && id ? layers.get(id) : Attribute();
  if (!entry)
    return KernelSchedule();
  auto entries = dyn_cast<DictionaryAttr>(entry);
  std::optional<KernelSchedule> schedule = entries ? parse(entries) : std::nullopt;
  if (!schedule)
    return module.emitError()
           << "schedule of layer '" << escaped(id.getValue()) << "' is " << entry
           << ", expected {kernel = \"direct\" or \"winograd\", order = \"lines\" or \"panels\", rows = 1 to "
           << kMostScheduledRows << "}";
  return *schedule;
}

} // namespace dyadic
