// Memory that only grows, until it is cut back to a mark.
#pragma once
#include <stddef.h>

// Everything that has been allocated up to now stays for good.
void arena_keep(void);

// Frees everything that has been allocated since `arena_keep`.
void arena_reset(void);
