/* SPDX-License-Identifier: Apache-2.0 */
/* A run-time compiler that compiles nothing: its machine code is the program's name. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

typedef char *nvrtc_program;

int nvrtcVersion(int *major, int *minor);
const char *nvrtcGetErrorString(int result);
int nvrtcCreateProgram(nvrtc_program *program, const char *source, const char *name,
                       int header_count, const char *const *headers,
                       const char *const *header_names);
int nvrtcDestroyProgram(nvrtc_program *program);
int nvrtcCompileProgram(nvrtc_program program, int option_count, const char *const *options);
int nvrtcGetCUBINSize(nvrtc_program program, size_t *size);
int nvrtcGetCUBIN(nvrtc_program program, char *cubin);
int nvrtcGetProgramLogSize(nvrtc_program program, size_t *size);
int nvrtcGetProgramLog(nvrtc_program program, char *log);

int nvrtcVersion(int *major, int *minor)
{
    *major = 13;
    *minor = 0;
    return 0;
}

const char *nvrtcGetErrorString(int result)
{
    return result == 0 ? "NVRTC_SUCCESS" : "NVRTC_ERROR_COMPILATION";
}

int nvrtcCreateProgram(nvrtc_program *program, const char *source, const char *name,
                       int header_count, const char *const *headers,
                       const char *const *header_names)
{
    (void)source, (void)header_count, (void)headers, (void)header_names;
    *program = strdup(name);
    return *program != NULL ? 0 : 1;
}

int nvrtcDestroyProgram(nvrtc_program *program)
{
    free(*program);
    *program = NULL;
    return 0;
}

int nvrtcCompileProgram(nvrtc_program program, int option_count, const char *const *options)
{
    (void)program, (void)option_count, (void)options;
    return 0;
}

int nvrtcGetCUBINSize(nvrtc_program program, size_t *size)
{
    *size = strlen(program) + 1;
    return 0;
}

int nvrtcGetCUBIN(nvrtc_program program, char *cubin)
{
    memcpy(cubin, program, strlen(program) + 1);
    return 0;
}

int nvrtcGetProgramLogSize(nvrtc_program program, size_t *size)
{
    (void)program;
    *size = 0;
    return 0;
}

int nvrtcGetProgramLog(nvrtc_program program, char *log)
{
    (void)program, (void)log;
    return 0;
}
