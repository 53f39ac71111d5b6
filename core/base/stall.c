/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/stall.h"
#include "core/base/hold.h"

#include <adit/log.h>

static struct {
  GThread *thread;
  GMutex lock; /* guards `ends` */
  GCond end;
  gboolean ends;
  gint64 first_us, again_us;
} self;

/* The call that was logged last: begin of the call or pass, and when. */
typedef struct {
  gint64 since_us, logged_us;
} Logged;

static void log_call(const AditHolder *holder, gint64 ms) {
  const char *plugin = adit_hold_plugin(holder->plugin, holder->func);

  if (plugin)
    adit_warning(NULL, "plugin %s: %s has held the main loop for %" G_GINT64_FORMAT " ms and does not return: nothing else is served",
                 plugin, holder->what, ms);
  else
    adit_warning(NULL, "core: %s has held the main loop for %" G_GINT64_FORMAT " ms and does not return: nothing else is served",
                 holder->what, ms);
}

/* The calls of a pass return, but the pass goes on and on. */
static void log_pass(const AditHolder *holder, gint64 ms) {
  const char *plugin = holder->begun_us ? adit_hold_plugin(holder->plugin, holder->func) : NULL;

  adit_warning(NULL, "core: a pass of the main loop has lasted for %" G_GINT64_FORMAT " ms and does not end, now in %s of %s", ms,
               holder->begun_us ? holder->what : "something beside timers, watches and calls", plugin ? plugin : "core");
}

static void look_on(Logged *logged, gint64 now_us) {
  AditHolder holder;

  if (!adit_hold_look(&holder)) /* it moves */
    return;
  gboolean call = holder.begun_us && now_us - holder.begun_us >= self.first_us;
  gint64 since = call ? holder.begun_us : holder.pass_us;
  if (!since || now_us - since < self.first_us || (since == logged->since_us && now_us - logged->logged_us < self.again_us))
    return;
  *logged = (Logged){since, now_us};
  if (call)
    log_call(&holder, (now_us - since) / 1000);
  else
    log_pass(&holder, (now_us - since) / 1000);
}

static gpointer run_looking(gpointer data) {
  Logged logged = {0};

  g_mutex_lock(&self.lock);
  while (!self.ends) {
    g_cond_wait_until(&self.end, &self.lock, g_get_monotonic_time() + self.first_us / 2);
    if (self.ends)
      break;
    g_mutex_unlock(&self.lock);
    look_on(&logged, g_get_monotonic_time());
    g_mutex_lock(&self.lock);
  }
  g_mutex_unlock(&self.lock);
  return NULL;
}

void adit_stall_start(guint first_ms, guint again_ms) {
  if (self.thread)
    return;
  self.ends = FALSE;
  self.first_us = (gint64)first_ms * 1000;
  self.again_us = (gint64)again_ms * 1000;
  self.thread = g_thread_new("adit-stall", run_looking, NULL);
}

void adit_stall_stop(void) {
  if (!self.thread)
    return;
  g_mutex_lock(&self.lock);
  self.ends = TRUE;
  g_cond_signal(&self.end);
  g_mutex_unlock(&self.lock);
  g_thread_join(g_steal_pointer(&self.thread));
}
