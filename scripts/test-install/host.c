// Loads an addon and calls it, without Node: there is no Node for musl on npm. The same program is compiled for
// glibc and for musl, and must print the same. It has as much of Node-API as a synchronous call needs; whatever
// else is called ends the program.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kOk = 0, kWrong = 1, kFloat32 = 7 };
enum Kind { kUndefined, kNull, kBoolean, kNumber, kString, kFunction, kObject, kArray };

typedef struct Value {
  enum Kind kind;
  double number;
  char text[256];
  size_t length;
  void* data;
} Value;

typedef Value* (*Callback)(void* env, void* info);

static Value values[4096];
static size_t used;
static Value* make(enum Kind kind) {
  if (used == sizeof values / sizeof *values) abort();
  Value* value = &values[used++];
  value->kind = kind;
  return value;
}

static struct {
  char name[64];
  Callback call;
  void* data;
} functions[128];
static size_t count;
static Value* thrown;

static struct {
  Value* arguments[16];
  void* data;
} call;

// Node-API.
#define API(name, ...) __attribute__((visibility("default"))) int name(void* env, __VA_ARGS__)
#define NONE(name) \
  __attribute__((visibility("default"))) int name(void) { fprintf(stderr, #name " was called\n"); abort(); }

API(napi_create_function, const char* name, size_t length, Callback callback, void* data, Value** out) {
  (void)env, (void)length;
  snprintf(functions[count].name, sizeof functions[count].name, "%s", name);
  functions[count].call = callback;
  functions[count++].data = data;
  *out = make(kFunction);
  return kOk;
}
API(napi_get_cb_info, void* info, size_t* argc, Value** argv, Value** self, void** data) {
  (void)env, (void)info, (void)self;
  static Value undefined;
  for (size_t i = 0; i < *argc; ++i) argv[i] = call.arguments[i] != NULL ? call.arguments[i] : &undefined;
  *data = call.data;
  return kOk;
}
API(napi_get_typedarray_info, Value* v, int* type, size_t* length, void** data, Value** b, size_t* o) {
  (void)env, (void)b, (void)o;
  if (v->kind != kArray) return kWrong;
  *type = kFloat32, *length = v->length, *data = v->data;
  return kOk;
}
API(napi_is_typedarray, Value* v, bool* out) { (void)env; *out = v->kind == kArray; return kOk; }
API(napi_get_value_double, Value* v, double* out) {
  (void)env, *out = v->number;
  return v->kind == kNumber ? kOk : kWrong;
}
API(napi_get_value_bool, Value* v, bool* out) {
  (void)env, *out = v->number != 0;
  return v->kind == kBoolean ? kOk : kWrong;
}
API(napi_typeof, Value* v, int* out) {
  (void)env;
  static const int types[] = {0, 1, 2, 3, 4, 7, 6, 6};
  *out = types[v->kind];
  return kOk;
}
API(napi_create_string_utf8, const char* text, size_t length, Value** out) {
  (void)env;
  Value* v = make(kString);
  snprintf(v->text, sizeof v->text, "%.*s", length == SIZE_MAX ? 255 : (int)length, text);
  *out = v;
  return kOk;
}
API(napi_create_double, double n, Value** out) { (void)env; *out = make(kNumber); (*out)->number = n; return kOk; }
API(napi_get_boolean, bool b, Value** out) { (void)env; *out = make(kBoolean); (*out)->number = b; return kOk; }
API(napi_create_object, Value** out) { (void)env; *out = make(kObject); return kOk; }
API(napi_create_array, Value** out) { (void)env; *out = make(kObject); return kOk; }
API(napi_create_type_error, Value* code, Value* message, Value** out) {
  (void)env, (void)code;
  *out = make(kObject);
  memcpy((*out)->text, message->text, sizeof message->text);
  return kOk;
}
API(napi_throw, Value* error) { (void)env; thrown = error; return kOk; }
API(napi_is_exception_pending, bool* out) { (void)env; *out = thrown != NULL; return kOk; }
API(napi_create_reference, Value* v, uint32_t n, Value** out) { (void)env, (void)n; *out = v; return kOk; }
API(napi_get_reference_value, Value* r, Value** out) { (void)env; *out = r; return kOk; }
API(napi_delete_reference, Value* r) { (void)env, (void)r; return kOk; }
API(napi_set_named_property, Value* o, const char* name, Value* v) {
  (void)env, (void)o;
  if (strcmp(name, "version") == 0) printf("version %s\n", v->text);
  return kOk;
}
API(napi_has_property, Value* o, Value* key, bool* out) { (void)env, (void)o, (void)key; *out = false; return kOk; }
API(napi_set_element, Value* o, uint32_t i, Value* v) { (void)env, (void)o, (void)i; printf("isa %s\n", v->text); return kOk; }
API(napi_set_instance_data, void* data, void* finalize, void* hint) { (void)env, (void)data, (void)finalize, (void)hint; return kOk; }
API(napi_open_handle_scope, void** out) { (void)env; *out = NULL; return kOk; }
API(napi_close_handle_scope, void* scope) { (void)env, (void)scope; return kOk; }
API(napi_add_env_cleanup_hook, void* hook, void* data) { (void)env, (void)hook, (void)data; return kOk; }
NONE(napi_call_threadsafe_function) NONE(napi_open_escapable_handle_scope) NONE(napi_close_escapable_handle_scope)
NONE(napi_create_error) NONE(napi_create_promise) NONE(napi_create_range_error)
NONE(napi_create_threadsafe_function) NONE(napi_define_properties) NONE(napi_escape_handle) NONE(napi_fatal_error)
NONE(napi_get_and_clear_last_exception) NONE(napi_get_last_error_info) NONE(napi_get_named_property)
NONE(napi_get_property) NONE(napi_get_value_string_utf8) NONE(napi_ref_threadsafe_function)
NONE(napi_release_threadsafe_function) NONE(napi_resolve_deferred) NONE(napi_throw_error)
NONE(napi_unref_threadsafe_function)

#ifndef __GLIBC__
// What Debian's libgcc_s wants of glibc, or of itself in a version that musl does not look at. Alpine's does without.
__attribute__((visibility("default"))) int __cpu_indicator_init(void) { return 0; }
__attribute__((visibility("default"))) unsigned __cpu_model[4];
struct Found { unsigned long long flags; void *start, *end, *map, *eh_frame; unsigned long long more[7]; };
struct Search { uintptr_t pc; struct Found* found; };
static int look(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct Search* search = data;
  void* frame = NULL;
  int inside = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* p = &info->dlpi_phdr[i];
    const uintptr_t start = info->dlpi_addr + p->p_vaddr;
    if (p->p_type == PT_LOAD && search->pc >= start && search->pc < start + p->p_memsz) inside = 1;
    if (p->p_type == PT_GNU_EH_FRAME) frame = (void*)start;
  }
  if (!inside || frame == NULL) return 0;
  search->found->eh_frame = frame;
  return 1;
}
__attribute__((visibility("default"))) int _dl_find_object(void* pc, struct Found* found) {
  memset(found, 0, sizeof *found);
  struct Search search = {(uintptr_t)pc, found};
  return dl_iterate_phdr(look, &search) == 1 ? 0 : -1;
}
#endif

static Value* invoke(const char* name, Value** arguments, size_t n) {
  memset(&call, 0, sizeof call);
  for (size_t i = 0; i < n; ++i) call.arguments[i] = arguments[i];
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(functions[i].name, name) != 0) continue;
    call.data = functions[i].data;
    return functions[i].call(NULL, NULL);
  }
  fprintf(stderr, "no function %s\n", name);
  exit(1);
}

static Value* number(double n) { Value* v = make(kNumber); v->number = n; return v; }
static Value* flag(bool b) { Value* v = make(kBoolean); v->number = b; return v; }
static Value* array(float* data, size_t length) {
  Value* v = make(kArray);
  v->data = data, v->length = length;
  return v;
}

enum { kRows = 2048, kChannels = 320 };
static float x[kRows * kChannels], y[kRows * kChannels], mean[kChannels], var[kChannels];

static uint32_t hash(const void* data, size_t bytes, uint32_t from) {
  const unsigned char* p = data;
  for (size_t i = 0; i < bytes; ++i) from = (from ^ p[i]) * 16777619u;
  return from;
}

int main(int argc, char** argv) {
  void* addon = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (addon == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  Callback init = (Callback)dlsym(addon, "napi_register_module_v1");
  if (init == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  init(NULL, make(kObject));
  printf("%zu functions\n", count);
  invoke("availableIsas", NULL, 0);
  for (size_t i = 0; i < kRows * kChannels; ++i) x[i] = (float)((i * 37) % 1013) / 8.0f - 40.0f;
  Value* null = make(kNull);
  for (int threads = 1; threads <= 4; ++threads) {
    invoke("setThreads", (Value*[]){number(threads)}, 1);
    for (int i = 0; i < kChannels; ++i) mean[i] = 0, var[i] = 1;
    Value* arguments[] = {array(x, kRows * kChannels), array(y, kRows * kChannels),
      number(kRows), number(kChannels), number(1), null, null, array(mean, kChannels), array(var, kChannels),
      null, flag(false), flag(true), number(0.1), number(1e-5), flag(false)};
    invoke("batchNormForward", arguments, 15);
    if (thrown != NULL) return fprintf(stderr, "threw: %s\n", thrown->text), 1;
    printf("hash %08x\n", hash(var, sizeof var, hash(y, sizeof y, 2166136261u)));
  }
  // A C++ exception, from the addon through its own frames to its border.
  invoke("batchNormForward", (Value*[]){array(x, 3), array(y, 3), number(1.5)}, 3);
  printf("threw: %s\n", thrown != NULL ? thrown->text : "nothing");
  return 0;
}
