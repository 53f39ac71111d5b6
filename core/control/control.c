/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Start and end of the management interface. */
#include "core/control/control.h"
#include "core/control/call.h"
#include "core/control/core-interface.h"
#include "core/control/turns.h"
#include "core/control/varlink.h"

void adit_control_init(void) {
  g_autoptr(GError) error = NULL;

  memset(&adit_control_stats, 0, sizeof adit_control_stats);
  adit_turns_init();
  adit_registry_init();
  adit_calls_init();
  if (!adit_control_core_add(&error))
    g_error("control: %s", error->message);
}

void adit_control_quiesce(AditPlugin *plugin) {
  if (adit_registry_interfaces())
    adit_calls_drop_plugin(plugin);
}

void adit_control_drop_plugin(AditPlugin *plugin) {
  if (!adit_registry_interfaces())
    return;
  adit_registry_drop_plugin(plugin); /* first: the end of a call may start the next one of its connection, but no longer at this plugin */
  adit_calls_drop_plugin(plugin);
}

void adit_control_fini(void) {
  if (!adit_registry_interfaces())
    return;
  adit_control_stop();
  adit_control_core_fini();
  adit_calls_fini();
  adit_registry_fini();
  adit_turns_fini();
}
