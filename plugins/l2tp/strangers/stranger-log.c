/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "stranger-log.h"
#include "../glue/l2tp.h"

#include <stdarg.h>

void l2tp_log_stranger(L2tp *l2tp, L2tpSays kind, const AditPath *path, const char *format, ...) {
  char text[200], peer[ADIT_ENDPOINT_TEXT];
  va_list args;

  if (!adit_log_quota_allows(&l2tp->said[kind], l2tp->loop))
    return;
  va_start(args, format);
  g_vsnprintf(text, sizeof text, format, args);
  va_end(args);
  AditLogContext context = {.peer = adit_endpoint_format(&path->remote, peer)};
  adit_info(&context, "%s: %s", peer, text);
}
