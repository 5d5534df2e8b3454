// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Answers `cpuid` for libraries that mask_cpuid.py has patched, as a CPU would that
// has AVX2 and nothing newer. Preloaded, so that their constructors ask here too.

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

/// What leaf 7 has of AVX-512, AVX-VNNI, AMX and GFNI (Intel SDM, volume 2A, CPUID).
enum {
  kLeaf7Ebx = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30,
  kLeaf7EbxTop = 31, // AVX512VL, a bit that an enumerator cannot hold
  kLeaf7Ecx = 1 << 1 | 1 << 6 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 14,
  kLeaf7Edx = 1 << 2 | 1 << 3 | 1 << 8 | 1 << 22 | 1 << 23 | 1 << 24 | 1 << 25,
};

static void answer(int signal, siginfo_t *info, void *raw) {
  (void)signal, (void)info;
  greg_t *registers = ((ucontext_t *)raw)->uc_mcontext.gregs;
  unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
  unsigned a, b, c, d;
  __cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 0) {
    b &= ~(unsigned)kLeaf7Ebx & ~(1u << kLeaf7EbxTop);
    c &= ~(unsigned)kLeaf7Ecx;
    d &= ~(unsigned)kLeaf7Edx;
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
