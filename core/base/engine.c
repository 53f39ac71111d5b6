/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/engine.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/random.h"

static guint64 read_host_clock(gpointer host) {
  return adit_now_ms();
}

static void arm_host_timer(gpointer host, guint slot, guint64 deadline) {
  AditTimer *timer = host;
  guint64 at = adit_now_ms();
  if (deadline)
    adit_timer_arm(timer, deadline > at ? deadline - at : 1);
  else
    adit_timer_cancel(timer);
}

static void random_octets(gpointer host, gpointer buffer, gsize length) {
  adit_random(buffer, length);
}

AditEngineEnv adit_loop_engine(AditTimer *timer) {
  static const AditEngineOps ops = {sizeof ops, read_host_clock, arm_host_timer, random_octets};
  return (AditEngineEnv){&ops, timer};
}
