// A reader for the one JSON object that the plugin takes.
#include "config.h"
#include <string.h>

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} reader_t;

bool text_same(text_t a, text_t b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

bool text_is(text_t text, const char *word) {
  return text_same(text, (text_t){(const uint8_t *)word, strlen(word)});
}

static void skip_space(reader_t *json) {
  while (json->at < json->end &&
         (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r')) {
    json->at++;
  }
}

// Takes this character, if it is the next one.
static bool take(reader_t *json, char wanted) {
  skip_space(json);
  if (json->at == json->end || *json->at != (uint8_t)wanted) return false;
  json->at++;
  return true;
}

// A string without escapes: names of tenants and headers need none.
static bool take_string(reader_t *json, text_t *text) {
  if (!take(json, '"')) return false;
  text->ptr = json->at;
  while (json->at < json->end && *json->at != '"') {
    if (*json->at == '\\') return false;
    json->at++;
  }
  if (json->at == json->end) return false;
  text->len = (size_t)(json->at - text->ptr);
  json->at++;
  return true;
}

static const char *take_tenants(reader_t *json, config_t *config) {
  config->tenant_count = 0;
  if (!take(json, '[')) return "`tenants` is a list of strings";
  if (take(json, ']')) return NULL;
  do {
    if (config->tenant_count == MAX_TENANTS) return "more than 256 tenants";
    text_t *tenant = &config->tenants[config->tenant_count];
    if (!take_string(json, tenant)) return "`tenants` is a list of strings, without escapes";
    if (tenant->len == 0) return "a tenant has no name: remove the empty string from `tenants`";
    config->tenant_count++;
  } while (take(json, ','));
  return take(json, ']') ? NULL : "`tenants` lacks its closing bracket";
}

static const char *take_value(reader_t *json, text_t key, config_t *config, bool *has_tenants) {
  if (text_is(key, "tenants")) {
    *has_tenants = true;
    return take_tenants(json, config);
  }
  if (text_is(key, "header")) {
    bool good = take_string(json, &config->header) && config->header.len > 0;
    return good ? NULL : "`header` is the name of a header";
  }
  if (text_is(key, "others")) {
    text_t others;
    if (!take_string(json, &others)) return "`others` is \"percent\" or \"old\"";
    config->others_stay = text_is(others, "old");
    bool known = config->others_stay || text_is(others, "percent");
    return known ? NULL : "`others` is \"percent\" or \"old\"";
  }
  return "unknown key: there are `tenants`, `header` and `others`";
}

const char *config_read(text_t json_text, config_t *config) {
  reader_t json = {json_text.ptr, json_text.ptr + json_text.len};
  config->header = (text_t){(const uint8_t *)"x-tenant", 8};
  config->tenant_count = 0;
  config->others_stay = false;
  bool has_tenants = false;
  if (!take(&json, '{')) return "the configuration is not a JSON object";
  if (!take(&json, '}')) {
    do {
      text_t key;
      if (!take_string(&json, &key) || !take(&json, ':')) return "a key and a colon were expected";
      const char *error = take_value(&json, key, config, &has_tenants);
      if (error != NULL) return error;
    } while (take(&json, ','));
    if (!take(&json, '}')) return "the object lacks its closing brace";
  }
  skip_space(&json);
  if (json.at != json.end) return "something follows the object";
  return has_tenants ? NULL : "`tenants` is missing";
}
