// Named tenants are served by `new`; the others by the migration's percent, or by `old`.
// The same plugin as ../tenant-split, in C.
#include "config.h"
#include "generated/split_plugin.h"
#include "libc/arena.h"

enum { OLD = 0, NEW = 1 };
enum { REASON_LISTED = 0, REASON_NOT_LISTED = 1 };

static config_t config;

bool exports_cutover_plugin_lifecycle_configure(
    exports_cutover_plugin_lifecycle_environment_t *env,
    exports_cutover_plugin_lifecycle_manifest_t *manifest, split_plugin_string_t *error) {
  static exports_cutover_plugin_lifecycle_field_t reads[1];
  static split_plugin_string_t reasons[2];

  const char *wrong = config_read((text_t){env->config.ptr, env->config.len}, &config);
  if (wrong != NULL) {
    split_plugin_string_set(error, wrong);
    return false;
  }
  reads[0].tag = EXPORTS_CUTOVER_PLUGIN_LIFECYCLE_FIELD_HEADER;
  reads[0].val.header.ptr = (uint8_t *)config.header.ptr;
  reads[0].val.header.len = config.header.len;
  split_plugin_string_set(&reasons[REASON_LISTED], "tenant-listed");
  split_plugin_string_set(&reasons[REASON_NOT_LISTED], "tenant-not-listed");
  manifest->reads = (exports_cutover_plugin_lifecycle_list_field_t){reads, 1};
  manifest->writes = (split_plugin_list_string_t){NULL, 0};
  manifest->reasons = (split_plugin_list_string_t){reasons, 2};
  // The configuration's text is read by every call.
  arena_keep();
  return true;
}

// The value of the only declared field; empty if it is absent.
static text_t tenant_of(const exports_cutover_plugin_split_view_t *req) {
  if (req->spans.len < 2) return (text_t){NULL, 0};
  uint32_t start = req->spans.ptr[0], end = req->spans.ptr[1];
  if (start > end || end > req->data.len) return (text_t){NULL, 0};
  return (text_t){req->data.ptr + start, end - start};
}

static bool is_listed(text_t tenant) {
  for (size_t i = 0; i < config.tenant_count; i++) {
    if (text_same(config.tenants[i], tenant)) return true;
  }
  return false;
}

void exports_cutover_plugin_split_decide(exports_cutover_plugin_split_view_t *req,
                                         exports_cutover_plugin_split_decision_t *decision) {
  decision->deadline_ms.is_some = false;
  decision->reason.is_some = true;
  if (is_listed(tenant_of(req))) {
    decision->backend = NEW;
    decision->reason.val = REASON_LISTED;
  } else if (config.others_stay) {
    decision->backend = OLD;
    decision->reason.val = REASON_NOT_LISTED;
  } else {
    decision->backend = req->bucket < req->share ? NEW : OLD;
    decision->reason.is_some = false;
  }
  arena_reset();
}
