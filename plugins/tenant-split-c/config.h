// The plugin's configuration: {"tenants": ["acme"], "header": "x-tenant", "others": "percent" | "old"}.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_TENANTS 256

// Bytes that somebody else owns.
typedef struct {
  const uint8_t *ptr;
  size_t len;
} text_t;

typedef struct {
  text_t header;
  text_t tenants[MAX_TENANTS];
  size_t tenant_count;
  bool others_stay;
} config_t;

// Reads the JSON. NULL if it is good, otherwise what is wrong with it.
const char *config_read(text_t json, config_t *config);

bool text_is(text_t text, const char *word);
bool text_same(text_t a, text_t b);
