/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-accounting.h"
#include "core/aaa/aaa-config.h"
#include "core/aaa/aaa-registry.h"
#include "core/aaa/aaa-request.h"
#include "core/aaa/handle.h"
#include "core/base/misuse.h"

static const AditAaaService service = {
    .size = sizeof service,
    .method_add = aaa_method_add,
    .source_add = aaa_source_add,
    .sink_add = aaa_sink_add,
    .answer = aaa_handle_answer,
    .handle_ref = aaa_handle_ref,
    .handle_unref = aaa_handle_unref,
};

void adit_aaa_init(const AditLoopService *loop) {
  aaa_registry_init(loop);
  aaa_config_init();
  aaa_request_init();
  aaa_acct_init();
}

void adit_aaa_fini(void) {
  aaa_acct_fini();
  aaa_request_fini();
  aaa_config_fini();
  aaa_registry_fini();
}

const AditAaaService *adit_aaa_service(void) {
  return &service;
}

/* Its fini is over: whatever it holds it never gives back. */
static void blame_for_kept_handles(AditPlugin *plugin, const AaaSource *source) {
  guint kept = aaa_handles_kept(source->name);
  if (kept)
    adit_misuse(plugin, "it leaves and has not given back %u requests: call handle_unref() for each handle_ref()", kept);
}

void adit_aaa_drop_plugin(AditPlugin *plugin) {
  const GPtrArray *sources = aaa_sources();

  aaa_acct_drop(plugin);
  for (guint i = 0; i < sources->len; i++) {
    const AaaSource *source = (const AaaSource *)sources->pdata[i];
    if (source->plugin != plugin)
      continue;
    aaa_request_drop(source);
    blame_for_kept_handles(plugin, source);
  }
  aaa_registry_drop(plugin);
}
