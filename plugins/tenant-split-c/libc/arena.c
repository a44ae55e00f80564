// Allocation for a plugin: what `configure` allocates stays, what a call allocates is gone after the call.
#include "arena.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern unsigned char __heap_base;

static uintptr_t next;
static uintptr_t kept;

static const uintptr_t PAGE = 65536;
static const uintptr_t ALIGNMENT = 16;

void *realloc(void *old, size_t size) {
  if (next == 0) next = (uintptr_t)&__heap_base;
  uintptr_t start = (next + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  if (size > UINTPTR_MAX - start) return NULL;
  uintptr_t end = start + size;
  uintptr_t available = __builtin_wasm_memory_size(0) * PAGE;
  if (end > available) {
    size_t pages = (end - available + PAGE - 1) / PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return NULL;
  }
  next = end;
  // The old block's size is not known, but it lies below the new one: reading `size` bytes stays inside.
  if (old != NULL) memcpy((void *)start, old, size);
  return (void *)start;
}

void free(void *ptr) { (void)ptr; }

_Noreturn void abort(void) { __builtin_trap(); }

void arena_keep(void) { kept = next; }

void arena_reset(void) { next = kept; }
