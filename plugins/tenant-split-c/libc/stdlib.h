// The part of <stdlib.h> that wit-bindgen's output needs; see arena.c.
#pragma once
#include <stddef.h>

void *realloc(void *old, size_t size);
void free(void *ptr);
_Noreturn void abort(void);
