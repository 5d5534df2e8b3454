/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C interface of a compiled model. Everything a library exports is described
 * here; the header that is written beside a library repeats this text, so that it
 * needs no other file.
 */
#ifndef DYADIC_ABI_H
#define DYADIC_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface. Structures only ever grow at their end, so a caller
 * may use any library whose abi_version is at least the one it was built with. */
#define DYADIC_ABI_VERSION 1

/* Alignment in bytes that `run` expects of the workspace. Inputs and outputs need
 * the alignment of their elements; 64 is best for them too. */
#define DYADIC_ALIGNMENT 64

enum dyadic_element_type {
  DYADIC_F32 = 1,
  DYADIC_U8 = 2,
  DYADIC_S8 = 3,
  DYADIC_U16 = 4,
  DYADIC_S16 = 5,
  DYADIC_S32 = 6,
  DYADIC_S64 = 7
};

enum dyadic_status {
  DYADIC_OK = 0,
  DYADIC_NULL_ARGUMENT = 1, /* a pointer that is needed is NULL */
  DYADIC_BAD_BATCH = 2,     /* batch < 1, or not 1 where no input has a batch dimension */
  DYADIC_BAD_THREADS = 3    /* threads < 1, or more than one without parallel_for */
};

/* An input or output. Quantized integers stand for
 *     real = scale * (stored - zero_point),  min <= stored <= max. */
typedef struct dyadic_tensor {
  const char *name;     /* the ONNX name, UTF-8 */
  int32_t element_type; /* enum dyadic_element_type */
  int32_t rank;
  const int64_t *shape; /* `rank` sizes, row-major; -1 is the batch */
  int32_t axis;         /* the dimension that `scales` runs along; -1: one scale */
  int32_t num_scales;   /* 0: not quantized */
  const float *scales;
  int64_t zero_point;
  int64_t min, max; /* stored values; 0, 0 where not quantized */
} dyadic_tensor;

/* Calls function(argument, i) for every i in [0, n), in any order and on any
 * threads, one after the other or at once, and returns when all calls have returned.
 * n is at most the number of threads that `run` got. */
typedef void (*dyadic_parallel_for)(void *context, int64_t n, void (*function)(void *argument, int64_t i),
                                    void *argument);

typedef struct dyadic_model {
  uint32_t struct_size; /* sizeof(dyadic_model) of the library */
  uint32_t abi_version;
  uint32_t tensor_size; /* sizeof(dyadic_tensor) of the library: the stride of inputs and outputs */
  int32_t num_inputs;
  int32_t num_outputs;
  int32_t num_values; /* values of layers that `run` writes after the outputs; 0 but for inspection */
  const dyadic_tensor *inputs;
  const dyadic_tensor *outputs; /* num_outputs, then num_values */
  const char *fingerprint;      /* SHA-256 of the compiled program, 64 hexadecimal digits */
  const char *target;           /* the target it was compiled for */

  /* Bytes of workspace that `run` needs, 0 for arguments that it refuses. */
  uint64_t (*workspace_size)(int64_t batch, int32_t threads);

  /* Runs the model on `batch` samples; returns enum dyadic_status. It allocates
   * nothing, keeps no state, starts no thread and may run on several threads at once,
   * each call with a workspace of its own. Inputs, outputs and workspace must not overlap.
   *
   * With threads > 1 it shares its work out by parallel_for: the samples of a batch where
   * these keep all threads busy, else the parts of each layer with enough to do, one
   * call of parallel_for a layer. Results are the same for any number of threads.
   * parallel_for may be NULL where threads is 1. */
  int32_t (*run)(const void *const *inputs, void *const *outputs, int64_t batch, void *workspace, int32_t threads,
                 dyadic_parallel_for parallel_for, void *context);
} dyadic_model;

/* Every library exports NAME_open and, if it is a shared one, dyadic_open, which is
 * the same. It returns the model, which is immutable and lives as long as the
 * library, or NULL where this CPU lacks an instruction that the library uses; then
 * *message (unless message is NULL) says which in constant text. */
typedef const dyadic_model *(*dyadic_open_function)(const char **message);

#ifdef __cplusplus
}
#endif

#endif /* DYADIC_ABI_H */
