/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * guarded LIBRARY INPUTS OUTPUTS: runs a library on the raw bytes of INPUTS with every buffer next
 * to a page that may not be touched: first right before it, then right behind it. The outputs of
 * both runs go to OUTPUTS, one after the other. */
#define _GNU_SOURCE
#include "dyadic.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t bytes(const dyadic_tensor *tensor) {
  static const size_t sizes[] = {0, 4, 1, 1, 2, 2, 4, 8};
  size_t n = sizes[tensor->element_type];
  for (int32_t d = 0; d < tensor->rank; ++d)
    n *= (size_t)(tensor->shape[d] == -1 ? 1 : tensor->shape[d]);
  return n;
}

/* `size` bytes that end (or begin) where a page without access begins (or ends). */
static void *guarded(size_t size, int at_end) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page + (size == 0) * page;
  char *all = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + page, room, PROT_READ | PROT_WRITE))
    exit(6);
  return at_end ? all + page + room - size : all + page;
}

int main(int argc, char **argv) {
  void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
  dyadic_open_function open = library ? (dyadic_open_function)dlsym(library, "dyadic_open") : NULL;
  const dyadic_model *model = open ? open(NULL) : NULL;
  FILE *in = model ? fopen(argv[2], "rb") : NULL, *out = model ? fopen(argv[3], "wb") : NULL;
  if (!in || !out)
    return 3;
  int32_t results = model->num_outputs + model->num_values;
  for (int at_end = 0; at_end < 2; ++at_end) {
    const void **inputs = calloc((size_t)model->num_inputs, sizeof *inputs);
    void **outputs = calloc((size_t)results, sizeof *outputs);
    rewind(in);
    for (int32_t i = 0; i < model->num_inputs; ++i) {
      size_t size = bytes(&model->inputs[i]);
      void *buffer = guarded(size, at_end);
      if (fread(buffer, 1, size, in) != size)
        return 4;
      inputs[i] = buffer;
    }
    for (int32_t i = 0; i < results; ++i)
      outputs[i] = guarded(bytes(&model->outputs[i]), at_end);
    size_t space = (size_t)model->workspace_size(1, 1);
    void *workspace = guarded((space + DYADIC_ALIGNMENT - 1) / DYADIC_ALIGNMENT * DYADIC_ALIGNMENT, at_end);
    if (model->run(inputs, outputs, 1, workspace, 1, NULL, NULL) != DYADIC_OK)
      return 5;
    for (int32_t i = 0; i < results; ++i)
      if (fwrite(outputs[i], 1, bytes(&model->outputs[i]), out) != bytes(&model->outputs[i]))
        return 4;
  }
  fclose(in);
  return fclose(out) ? 4 : 0;
}
