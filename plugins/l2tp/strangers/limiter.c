/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "limiter.h"

enum { TOKEN = 1000 };

void l2tp_limiter_set(L2tpLimiter *limiter, guint32 rate, guint32 burst) {
  limiter->rate = rate;
  limiter->burst = MIN(burst, G_MAXUINT32 / TOKEN / 2);
}

static guint bucket_of(const L2tpLimiter *limiter, const AditAddress *address) {
  return adit_siphash(limiter->key, address->octet, address->family == AF_INET ? 3 : 7) % L2TP_LIMITER_BUCKETS;
}

gboolean l2tp_limiter_take(L2tpLimiter *limiter, const AditAddress *address, guint64 now_ms) {
  __typeof__(limiter->buckets[0]) *bucket = &limiter->buckets[bucket_of(limiter, address)];
  guint64 refill = (guint64)(guint32)((guint32)now_ms - bucket->last_ms) * limiter->rate;

  bucket->last_ms = (guint32)now_ms;
  bucket->used = refill >= bucket->used ? 0 : bucket->used - (guint32)refill;
  if (bucket->used + TOKEN > limiter->burst * TOKEN)
    return FALSE;
  bucket->used += TOKEN;
  return TRUE;
}

void l2tp_limiter_refund(L2tpLimiter *limiter, const AditAddress *address) {
  guint32 *used = &limiter->buckets[bucket_of(limiter, address)].used;
  *used = *used > TOKEN ? *used - TOKEN : 0;
}
