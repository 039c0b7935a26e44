/* A stand-in for NVIDIA's driver, libcuda.so.1. Without STANDIN_GPUS it answers as a driver does that finds no GPU;
   otherwise it has that many, of compute capability STANDIN_CAPABILITY, such as 86. */
#include <stdlib.h>
#include <string.h>

static int number(const char *name) { const char *text = getenv(name); return text ? atoi(text) : 0; }
static int answer(void) { return number("STANDIN_GPUS") ? 0 : 100; }

int cuInit(unsigned flags) { return answer(); }
int cuDriverGetVersion(int *version) { *version = number("STANDIN_VERSION") ? number("STANDIN_VERSION") : 12000; return 0; }
int cuDeviceGetCount(int *count) { *count = number("STANDIN_GPUS"); return answer(); }
int cuDeviceGet(int *device, int index) { *device = index; return answer(); }
int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "Stand-in", length); return answer(); }
int cuDeviceGetAttribute(int *value, int which, int device) {
  int capability = number("STANDIN_CAPABILITY");
  *value = which == 75 ? capability / 10 : capability % 10;
  return answer();
}

/* what MXNet is linked to besides */
int cuDevicePrimaryCtxRetain(void **context, int device) { return answer(); }
int cuGetErrorString(int error, const char **text) { *text = "a stand-in"; return 0; }
int cuGraphKernelNodeGetParams(void *node, void *parameters) { return answer(); }
int cuGraphNodeGetType(void *node, int *type) { return answer(); }
int cuLaunchKernel(void *function) { return answer(); }
int cuModuleGetFunction(void **function, void *module, const char *name) { return answer(); }
int cuModuleLoadData(void **module, const void *image) { return answer(); }
int cuModuleLoadDataEx(void **module, const void *image) { return answer(); }
int cuModuleUnload(void *module) { return answer(); }
