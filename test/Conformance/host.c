/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * host INPUT OUTPUT BATCH: runs the linked model `digits` on raw bytes, or with a
 * fourth argument only opens it and says for which target it is, or what `open` said. */
#include "digits.h"
#include <stdio.h>
#include <stdlib.h>

static size_t element_size(int32_t type) {
  return type == DYADIC_U8 || type == DYADIC_S8 ? 1 : type == DYADIC_U16 || type == DYADIC_S16 ? 2 : type == DYADIC_S64 ? 8 : 4;
}

static size_t bytes(const dyadic_tensor *tensor, int64_t batch) {
  size_t n = element_size(tensor->element_type);
  for (int32_t d = 0; d < tensor->rank; ++d)
    n *= (size_t)(tensor->shape[d] == -1 ? batch : tensor->shape[d]);
  return n;
}

int main(int argc, char **argv) {
  const char *message = "";
  const dyadic_model *model = digits_open(&message);
  if (!model || argc > 4) {
    printf("%s\n", model ? model->target : message);
    return model ? 0 : 3;
  }
  int64_t batch = atoll(argv[3]);
  size_t in = bytes(&model->inputs[0], batch), out = bytes(&model->outputs[0], batch);
  uint64_t space = model->workspace_size(batch, 1);
  void *input = malloc(in), *output = malloc(out), *workspace = aligned_alloc(DYADIC_ALIGNMENT, (space + 63) / 64 * 64);
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(input, 1, in, file) != in)
    return 4;
  fclose(file);
  const void *inputs[] = {input};
  void *outputs[] = {output};
  int32_t status = model->run(inputs, outputs, batch, workspace, 1, NULL, NULL);
  file = fopen(argv[2], "wb");
  if (status != DYADIC_OK || !file || fwrite(output, 1, out, file) != out)
    return 5;
  fclose(file);
  return 0;
}
