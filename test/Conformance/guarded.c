/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * guarded LIBRARY INPUTS OUTPUTS: runs a library on the raw bytes of INPUTS with every buffer next
 * to a page that may not be touched: right before it, then right behind it; on one thread, then with parts one after the
 * other, backwards, then on several threads. The outputs of all runs go to OUTPUTS, one after the other.
 * Prints how often parts were asked for. */
#define _GNU_SOURCE
#include "dyadic.h"
#include <dlfcn.h>
#include <pthread.h>
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

typedef void (*body)(void *argument, int64_t i);

static void backwards(void *forks, int64_t n, body function, void *argument) {
  for (int64_t i = n; i-- > 0;)
    function(argument, i);
  ++*(long *)forks;
}

typedef struct {
  body function;
  void *argument;
  int64_t i;
} task;

static void *start(void *context) {
  task *mine = context;
  mine->function(mine->argument, mine->i);
  return NULL;
}

static void on_threads(void *forks, int64_t n, body function, void *argument) {
  pthread_t threads[16];
  task tasks[16];
  for (int64_t i = 0; i < n; ++i) {
    tasks[i] = (task){function, argument, i};
    if (n > 16 || pthread_create(&threads[i], NULL, start, &tasks[i]))
      exit(7);
  }
  for (int64_t i = 0; i < n; ++i)
    pthread_join(threads[i], NULL);
  ++*(long *)forks;
}

static const struct {
  int32_t threads;
  dyadic_parallel_for parallel_for;
} kRuns[] = {{1, NULL}, {2, backwards}, {3, backwards}, {2, on_threads}, {3, on_threads}, {7, on_threads}};

int main(int argc, char **argv) {
  void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
  dyadic_open_function open = library ? (dyadic_open_function)dlsym(library, "dyadic_open") : NULL;
  const dyadic_model *model = open ? open(NULL) : NULL;
  FILE *in = model ? fopen(argv[2], "rb") : NULL, *out = model ? fopen(argv[3], "wb") : NULL;
  if (!in || !out)
    return 3;
  int32_t results = model->num_outputs + model->num_values;
  long forks = 0;
  for (size_t run = 0; run < 2 * sizeof kRuns / sizeof *kRuns; ++run) {
    int at_end = run % 2;
    int32_t threads = kRuns[run / 2].threads;
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
    size_t space = (size_t)model->workspace_size(1, threads);
    void *workspace = guarded((space + DYADIC_ALIGNMENT - 1) / DYADIC_ALIGNMENT * DYADIC_ALIGNMENT, at_end);
    if (model->run(inputs, outputs, 1, workspace, threads, kRuns[run / 2].parallel_for, &forks) != DYADIC_OK)
      return 5;
    for (int32_t i = 0; i < results; ++i)
      if (fwrite(outputs[i], 1, bytes(&model->outputs[i]), out) != bytes(&model->outputs[i]))
        return 4;
  }
  fclose(in);
  printf("%ld\n", forks);
  return fclose(out) ? 4 : 0;
}
