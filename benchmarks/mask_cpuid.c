// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Answers `cpuid` for libraries that mask_cpuid.py has patched, as a CPU would that
// has AVX2 and nothing newer. Preloaded, so that their constructors ask here too.

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

/// What leaf 7 has of AVX-512, AVX-VNNI, AMX and GFNI (Intel SDM, volume 2A, CPUID).
static const unsigned kLeaf7Ebx = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31;
static const unsigned kLeaf7Ecx = 1u << 1 | 1u << 6 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 14;
static const unsigned kLeaf7Edx = 1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25;

static void answer(int signal, siginfo_t *info, void *raw) {
  (void)signal, (void)info;
  greg_t *registers = ((ucontext_t *)raw)->uc_mcontext.gregs;
  unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
  unsigned a, b, c, d;
  __cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 0) {
    b &= ~kLeaf7Ebx;
    c &= ~kLeaf7Ecx;
    d &= ~kLeaf7Edx;
  } else if (leaf == 7) {
    a = b = c = d = 0; // AVX-VNNI and AVX512-BF16 among them
  }
  registers[REG_RAX] = a, registers[REG_RBX] = b;
  registers[REG_RCX] = c, registers[REG_RDX] = d;
}

__attribute__((constructor)) static void install(void) {
  struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGTRAP, &action, 0);
}
