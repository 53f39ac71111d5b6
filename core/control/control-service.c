/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The service of adit/control.h. */
#include "core/control/call.h"
#include "core/control/varlink.h"

static const AditControlService service = {
    .size = sizeof(AditControlService),
    .interface_add = adit_registry_add,
    .reply = adit_call_reply,
    .error = adit_call_error,
    .wants_more = adit_call_wants_more,
    .on_gone = adit_call_on_gone,
    .reply_rows = adit_call_reply_rows,
};

const AditControlService *adit_control_service(void) {
  return &service;
}

void adit_control_reply_list(AditCall *call, const char *key, AditValue *list) {
  adit_control_reply_values(&service, call, key, list);
}
