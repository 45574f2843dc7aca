/* A minimal TFLite external delegate in plain C. It declares only what it needs of TFLite's C ABI, so that no TensorFlow
 * headers are needed to build it.
 *
 * Options (key = value):
 *   mode       none         claims nothing (the default)
 *              elementwise  claims float32 RELU, RELU6, LOGISTIC, HARD_SWISH, ADD and MUL, and computes them for real
 *              edgetpu      claims custom ops named "edgetpu-custom-op", as libedgetpu does, and copies input to output
 *   fail       create | init | prepare | invoke | abort | again: the step that fails; abort kills the process in invoke,
 *              again when it is prepared once more after an inference, as by whoever looks at the graph
 *   sleep_us   time that every kernel takes besides its work
 *   max_nodes  the most nodes to claim
 *   wrong      "true": outputs are off by one, as those of a broken driver
 *   device     accepted, not looked at
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { OK = 0, ERROR = 1 };
enum { FLOAT32 = 1 };
enum { ADD = 0, LOGISTIC = 14, MUL = 18, RELU = 19, RELU6 = 21, DELEGATE = 51, HARD_SWISH = 117 };

typedef struct Context Context;
typedef struct Delegate Delegate;

typedef struct {
  int size;
  int data[];
} IntArray;

typedef struct {
  int32_t type;
  void *data;
  IntArray *dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int32_t allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  Delegate *delegate;
  int buffer_handle;
  bool data_is_stale, is_variable;
  struct {
    int32_t type;
    void *params;
  } quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor;

typedef struct {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  Delegate *delegate;
  bool might_have_side_effect;
} Node;

typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *external, *async_kernel;
  uint64_t inplace_operator;
} Registration;

struct Context {
  size_t tensors_size;
  int (*GetExecutionPlan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  int (*ResizeTensor)(Context *, Tensor *, IntArray *);
  void (*ReportError)(Context *, const char *, ...);
  int (*AddTensors)(Context *, int, int *);
  int (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  int (*ReplaceNodeSubsets)(Context *, Registration, const IntArray *, Delegate *);
  int recommended_num_threads;
};

struct Delegate {
  void *data;
  int (*Prepare)(Context *, Delegate *);
  void *copy_from, *copy_to, *free_handle;
  int64_t flags;
  void *opaque_builder;
};

typedef struct {
  Delegate *delegate;
  IntArray *nodes, *inputs, *outputs;
} Params;

typedef struct {
  Delegate base;
  char mode[16], fail[16];
  int sleep_us, max_nodes, claimed;
  bool wrong, invoked;
} TestDelegate;

typedef struct {
  TestDelegate *owner;
  int code, inputs[2], input_count, output;
} Kernel;

static void *kernel_init(Context *context, const char *buffer, size_t length) {
  (void)length;
  const Params *params = (const Params *)buffer;
  TestDelegate *owner = params->delegate->data;
  Node *node;
  Registration *registration;
  if (!strcmp(owner->fail, "init")) return NULL;
  if (context->GetNodeAndRegistration(context, params->nodes->data[0], &node, &registration)) return NULL;
  Kernel *kernel = calloc(1, sizeof *kernel);
  kernel->owner = owner;
  kernel->code = registration->builtin_code;
  kernel->input_count = node->inputs->size > 2 ? 2 : node->inputs->size;
  for (int i = 0; i < kernel->input_count; i++) kernel->inputs[i] = node->inputs->data[i];
  kernel->output = node->outputs->data[0];
  return kernel;
}

static void kernel_free(Context *context, void *kernel) {
  (void)context;
  free(kernel);
}

static int kernel_prepare(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  if (!kernel) {
    context->ReportError(context, "testdelegate: kernel init failed");
    return ERROR;
  }
  if (kernel->owner->invoked && !strcmp(kernel->owner->fail, "again")) abort();
  if (!strcmp(kernel->owner->fail, "prepare")) {
    context->ReportError(context, "testdelegate: prepare failed (fail=prepare)");
    return ERROR;
  }
  return OK;
}

static float elementwise(int code, float a, float b) {
  switch (code) {
    case ADD: return a + b;
    case MUL: return a * b;
    case RELU: return a > 0 ? a : 0;
    case RELU6: return a < 0 ? 0 : a > 6 ? 6 : a;
    case LOGISTIC: return 1 / (1 + expf(-a));
    default: return a * (a + 3 < 0 ? 0 : a + 3 > 6 ? 6 : a + 3) / 6; /* HARD_SWISH */
  }
}

static int kernel_invoke(Context *context, Node *node) {
  Kernel *kernel = node->user_data;
  TestDelegate *owner = kernel->owner;
  owner->invoked = true;
  if (!strcmp(owner->fail, "abort")) abort();
  if (!strcmp(owner->fail, "invoke")) {
    context->ReportError(context, "testdelegate: device lost (fail=invoke)");
    return ERROR;
  }
  if (owner->sleep_us) usleep(owner->sleep_us);
  Tensor *output = &context->tensors[kernel->output], *input = &context->tensors[kernel->inputs[0]];
  if (!strcmp(owner->mode, "edgetpu")) {
    memcpy(output->data, input->data, output->bytes < input->bytes ? output->bytes : input->bytes);
    return OK;
  }
  const float *a = input->data, *b = kernel->input_count > 1 ? context->tensors[kernel->inputs[1]].data : a;
  float *y = output->data;
  for (size_t i = 0; i < output->bytes / sizeof(float); i++)
    y[i] = elementwise(kernel->code, a[i], b[i]) + (owner->wrong ? 1 : 0);
  return OK;
}

static bool supported(TestDelegate *owner, Context *context, Node *node, Registration *registration) {
  int code = registration->builtin_code;
  if (!strcmp(owner->mode, "edgetpu"))
    return registration->custom_name && !strcmp(registration->custom_name, "edgetpu-custom-op");
  if (strcmp(owner->mode, "elementwise")) return false;
  if (code != ADD && code != MUL && code != RELU && code != RELU6 && code != LOGISTIC && code != HARD_SWISH) return false;
  Tensor *output = &context->tensors[node->outputs->data[0]];
  for (int i = 0; i < node->inputs->size; i++) { /* no broadcasting */
    Tensor *input = &context->tensors[node->inputs->data[i]];
    if (input->type != FLOAT32 || input->bytes != output->bytes) return false;
  }
  bool fused_activation = (code == ADD || code == MUL) && node->builtin_data && *(int *)node->builtin_data != 0;
  return !fused_activation;
}

static int claim(Context *context, TestDelegate *owner, int node_index) {
  Registration kernel = {.init = kernel_init, .free = kernel_free, .prepare = kernel_prepare, .invoke = kernel_invoke,
                         .builtin_code = DELEGATE, .custom_name = "TestExternalDelegate", .version = 1};
  IntArray *nodes = malloc(sizeof(int) * 2);
  nodes->size = 1; /* one node per partition, so that partitions can be counted in tests */
  nodes->data[0] = node_index;
  int status = context->ReplaceNodeSubsets(context, kernel, nodes, &owner->base);
  free(nodes);
  if (status == OK) owner->claimed++;
  return status;
}

static int delegate_prepare(Context *context, Delegate *delegate) {
  TestDelegate *owner = delegate->data;
  IntArray *plan;
  if (context->GetExecutionPlan(context, &plan)) return ERROR;
  int count = plan->size, wanted = 0, status = OK;
  int *nodes = malloc(count * sizeof(int) + 1); /* replacing nodes changes the plan under us */
  for (int i = 0; i < count; i++) {
    Node *node;
    Registration *registration;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration)) status = ERROR;
    else if (supported(owner, context, node, registration)) nodes[wanted++] = plan->data[i];
  }
  for (int i = 0; i < wanted && owner->claimed < owner->max_nodes && status == OK; i++)
    status = claim(context, owner, nodes[i]);
  free(nodes);
  return status;
}

static bool take_option(TestDelegate *delegate, const char *key, const char *value) {
  if (!strcmp(key, "mode")) snprintf(delegate->mode, sizeof delegate->mode, "%s", value);
  else if (!strcmp(key, "fail")) snprintf(delegate->fail, sizeof delegate->fail, "%s", value);
  else if (!strcmp(key, "sleep_us")) delegate->sleep_us = atoi(value);
  else if (!strcmp(key, "max_nodes")) delegate->max_nodes = atoi(value);
  else if (!strcmp(key, "wrong")) delegate->wrong = !strcmp(value, "true");
  else return !strcmp(key, "device");
  return true;
}

EXPORT Delegate *tflite_plugin_create_delegate(const char *const *keys, const char *const *values, size_t count,
                                               void (*report_error)(const char *)) {
  TestDelegate *delegate = calloc(1, sizeof *delegate);
  char said[128] = "";
  strcpy(delegate->mode, "none");
  delegate->max_nodes = 1 << 30;
  for (size_t i = 0; i < count && !*said; i++)
    if (!take_option(delegate, keys[i], values[i])) snprintf(said, sizeof said, "testdelegate: unknown option '%s'", keys[i]);
  if (!*said && !strcmp(delegate->fail, "create")) snprintf(said, sizeof said, "testdelegate: no device found");
  if (*said) {
    if (report_error) report_error(said);
    free(delegate);
    return NULL;
  }
  delegate->base.data = delegate;
  delegate->base.Prepare = delegate_prepare;
  delegate->base.flags = 1; /* dynamic tensors are allowed */
  return &delegate->base;
}

EXPORT void tflite_plugin_destroy_delegate(Delegate *delegate) {
  if (delegate) free(delegate->data);
}
