// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which Dyadic this is.

#ifndef DYADIC_SUPPORT_VERSION_H
#define DYADIC_SUPPORT_VERSION_H

namespace dyadic {

/// Name and version of the program, as files record it.
inline constexpr char kProducer[] = "dyadic 0.1.0";

} // namespace dyadic

#endif // DYADIC_SUPPORT_VERSION_H
